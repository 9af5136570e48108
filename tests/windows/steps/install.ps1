# SPDX-License-Identifier: LGPL-2.1-or-later
# The driver's start, and what it tells at once.

# Installs the driver, or takes the one that is there, as after the restart for Driver Verifier, if it is of this package.
function Install-Driver {
    $there = Get-DriverVersion
    if (-not $there) {
        [void] (Invoke-Client -Words @('install-driver', (Join-Path $Package 'wnbd.inf')))
        Wait-Driver
        return 'installed'
    }
    $ours = (Get-ClientJson @('version')).client
    Assert ($there -eq $ours) "the driver $there is installed, the package has ${ours}: wnbd-client uninstall-driver, then again"
    return 'was there'
}

Step 'install' -Expect 'the driver is installed, its service runs, the adapter is OK (no code 10), the INF file is in the catalog' -Rows @(
    'Windows takes the catalog'
    'The driver loads, starts and unloads'
    'KeQueryPerformanceCounter is an export of hal.dll'
    '`Parameters\PnpInterface` against') {
    Install-Driver
    $adapter = Get-PnpDevice -Class SCSIAdapter | Where-Object HardwareID -contains 'root\wnbd'
    Assert ($adapter.Status -eq 'OK') "the adapter's status is $($adapter.Status), problem $($adapter.Problem)"
    Assert ((sc.exe query wnbd) -match 'RUNNING') 'the service wnbd does not run'
    # The file has no signature of its own; that of the catalog counts since Windows has taken it.
    $signature = Get-AuthenticodeSignature (Join-Path $Package 'wnbd.inf')
    Assert ($signature.Status -eq 'Valid') "wnbd.inf: $($signature.Status), $($signature.StatusMessage)"
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

Step 'driver events' -Expect 'a mapping that fails is in the event log System, in words, and in a trace session' `
    -Rows 'The driver''s entries in the System event log' -VerifierRows 'EtwRegister in DriverEntry after StorPortInitialize' {
    $trace = Join-Path $env:TEMP 'wnbd-run.etl'
    Remove-Item "$trace*" -ErrorAction SilentlyContinue
    logman.exe start wnbd-run -ets -p '{eb5d7ad0-9401-4fdc-945d-8b7bd03a4457}' -o $trace | Out-Null
    $process = Start-Background $Client @('map', 'nowhere', '127.0.0.1', '--port', '1')
    Assert ($process.WaitForExit(60000)) 'map does not end'
    Assert ($process.ExitCode -ne 0) 'something listens at port 1 of this machine'
    logman.exe stop wnbd-run -ets | Out-Null
    tracerpt.exe $trace -o "$trace.xml" -of XML -y | Out-Null # the file of a session without events is not empty
    Assert (((Get-Content -Raw "$trace.xml") -replace "`0") -match '(?i)eb5d7ad0-9401-4fdc-945d-8b7bd03a4457') 'the session has no event of the driver'
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
    Wait-Driver
    $disk = Get-MappedDisk
    $limit = (Get-ClientJson @('show', $DiskName)).max_requests_per_lun
    Assert ($limit -eq 1024) "a disk has $limit requests at most"
    Remove-MappedDisk
    [void] (Invoke-Client -Words @('reset-opt', 'MaxIOReqPerLun', '--persistent'))
    [void] (Invoke-Client -Words @('reset-adapter'))
    "disk $($disk.Number) had 1024 requests"
}
