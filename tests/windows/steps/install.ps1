# SPDX-License-Identifier: LGPL-2.1-or-later
# The machine, the package, the driver's start.

Step 'machine' -Expect 'Windows 10.0.17763 or later, 64 bits, test signing on or a package that Windows trusts' {
    $build = [Environment]::OSVersion.Version.Build
    Assert ($build -ge 17763) "build $build is older than 17763"
    Assert ([Environment]::Is64BitOperatingSystem) 'this is a 32-bit Windows'
    $signing = (bcdedit /enum '{current}') -match 'testsigning\s+Yes'
    $secureBoot = try { Confirm-SecureBootUEFI } catch { $false }
    "build $build, $env:PROCESSOR_ARCHITECTURE, test signing $([bool] $signing), Secure Boot $secureBoot"
}

Step 'package' -Expect 'every file is there; wnbd.sys and wnbd.cat have a signature that Windows accepts' `
    -Rows @('Windows takes the catalog', 'Secure Boot, memory integrity') {
    foreach ($name in 'wnbd.inf', 'wnbd.sys', 'wnbd.dll', 'wnbd-client.exe', 'wnbd-service.exe', 'diskio.exe') {
        Assert (Test-Path (Join-Path $Package $name)) "$name is not in $Package"
    }
    foreach ($name in 'wnbd.sys', 'wnbd.cat') {
        $signature = Get-AuthenticodeSignature (Join-Path $Package $name)
        Assert ($signature.Status -eq 'Valid') "$name`: $($signature.Status), $($signature.StatusMessage)"
    }
    $guard = Get-CimInstance -Namespace root\Microsoft\Windows\DeviceGuard -ClassName Win32_DeviceGuard
    "HVCI runs: $($guard.SecurityServicesRunning -contains 2)"
}

Step 'install' -Expect 'the driver is installed, its service runs, the adapter is OK (no code 10)' -Rows @(
    'The driver loads, starts and unloads'
    'KeQueryPerformanceCounter is an export of hal.dll'
    '`Parameters\PnpInterface` against'
    'The build for ARM64 loads and runs'
    'On ARM64: KeRaiseIrqlToDpcLevel') {
    [void] (Invoke-Client -Words @('install-driver', (Join-Path $Package 'wnbd.inf')))
    [void] (Wait-Until { (Get-ClientJson @('version')).driver } 30 'the driver does not answer')
    $adapter = Get-PnpDevice -Class SCSIAdapter | Where-Object HardwareID -contains 'root\wnbd'
    Assert ($adapter.Status -eq 'OK') "the adapter's status is $($adapter.Status), problem $($adapter.Problem)"
    Assert ((sc.exe query wnbd) -match 'RUNNING') 'the service wnbd does not run'
    $version = Get-ClientJson @('version')
    "client $($version.client), library $($version.library), driver $($version.driver)"
}

Step 'device security' -Expect 'a process without administrators'' rights is refused' `
    -Rows 'The control device is for administrators and SYSTEM only' {
    # runas /trustlevel:0x20000 makes a basic user of this very account.
    $file = Join-Path $env:TEMP 'wnbd-run-basic.txt'
    $batch = Join-Path $env:TEMP 'wnbd-run-basic.cmd'
    Remove-Item $file -ErrorAction SilentlyContinue
    Set-Content $batch "@`"$Client`" list > `"$file`" 2>&1", "@echo done >> `"$file`""
    runas.exe /trustlevel:0x20000 $batch | Out-Null
    [void] (Wait-Until { (Test-Path $file) -and (Get-Content -Raw $file) -match 'done' } 30 'the basic user gave no answer')
    $text = Get-Content -Raw $file
    Assert ($text -match '(?i)denied|administrator') "the answer was: $text"
    $text.Trim()
}

Step 'driver events' -Expect 'a mapping that fails is in the event log System, in words, and in a trace session' -Rows @(
    'The driver''s entries in the System event log'
    'EtwRegister in DriverEntry after StorPortInitialize') {
    $trace = Join-Path $env:TEMP 'wnbd-run.etl'
    Remove-Item "$trace*" -ErrorAction SilentlyContinue
    logman.exe start wnbd-run -ets -p '{eb5d7ad0-9401-4fdc-945d-8b7bd03a4457}' -o $trace | Out-Null
    [void] (Start-Background $Client @('map', 'nowhere', '127.0.0.1', '--port', '1')).WaitForExit(60000)
    logman.exe stop wnbd-run -ets | Out-Null
    Assert ((Get-Item $trace).Length -gt 0) 'the trace session has recorded nothing'
    $event = @(Get-Events @('wnbd') 2) | Where-Object { ($_.Id -band 0xffff) -eq 301 } | Select-Object -First 1
    Assert ($null -ne $event) 'there is no event 301 of wnbd'
    Assert ($event.Message -match 'nowhere: not mapped') "its text is: $($event.Message)"
    $event.Message
}

Step 'options' -Expect 'an option that is stored is there, and says so; an adapter with the largest queue starts' -Rows @(
    'IoOpenDriverRegistryKey on a thread'
    'MaxNumberOfIO up to 131072') {
    [void] (Invoke-Client -Words @('set-opt', 'MaxIOReqPerLun', '1024', '--persistent'))
    $stored = Get-ClientJson @('get-opt', 'MaxIOReqPerLun', '--persistent')
    Assert ($stored.value -eq 1024) "stored is $($stored.value)"
    [void] (Invoke-Client -Words @('reset-adapter'))
    [void] (Wait-Until { (Get-ClientJson @('version')).driver } 30 'the driver does not answer after reset-adapter')
    $disk = Get-MappedDisk
    $limit = (Get-ClientJson @('show', $DiskName)).max_requests_per_lun
    Assert ($limit -eq 1024) "a disk has $limit requests at most"
    Remove-MappedDisk
    [void] (Invoke-Client -Words @('reset-opt', 'MaxIOReqPerLun', '--persistent'))
    [void] (Invoke-Client -Words @('reset-adapter'))
    "disk $($disk.Number) had 1024 requests"
}
