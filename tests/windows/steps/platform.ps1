# SPDX-License-Identifier: LGPL-2.1-or-later
# What only certain machines can show.

Step 'memory integrity' -Expect 'with Secure Boot and memory integrity on, the driver runs and a disk works' `
    -Rows 'Secure Boot, memory integrity' {
    if (-not (Test-SecureBoot)) {
        Skip 'Secure Boot is off'
    }
    if (-not (Test-MemoryIntegrity)) {
        Skip 'memory integrity (HVCI) does not run'
    }
    Assert ((sc.exe query wnbd) -match 'RUNNING') 'the service wnbd does not run'
    $disk = Get-RawDisk
    Wait-Load (Start-Load $disk.Number 10) 120
}

Step 'ARM64' -Expect 'driver, client and service are for ARM64 and run' -Rows 'The build for ARM64 loads and runs' {
    if ((Get-Architecture) -ne 'ARM64') {
        Skip "this machine is $(Get-Architecture)"
    }
    foreach ($name in 'wnbd.sys', 'wnbd.dll', 'wnbd-client.exe', 'wnbd-service.exe') {
        Assert ((Get-ImageMachine (Join-Path $Package $name)) -eq 0xaa64) "$name is not for ARM64"
    }
    Assert (Get-DriverVersion) 'the driver does not answer'
    [void] (Get-Names)
    Start-Service wnbd-service
    Assert ((Get-Service wnbd-service).Status -eq 'Running') 'the service does not run'
}

Step 'ARM64 and memory integrity' -Expect 'on ARM64 with memory integrity on the driver runs and a disk works' `
    -Rows 'On ARM64: KeRaiseIrqlToDpcLevel' {
    if ((Get-Architecture) -ne 'ARM64') {
        Skip "this machine is $(Get-Architecture)"
    }
    if (-not (Test-MemoryIntegrity)) {
        Skip 'memory integrity (HVCI) does not run'
    }
    $disk = Get-RawDisk
    Wait-Load (Start-Load $disk.Number 10) 120
}

Step 'counters of 17763' -Expect 'on the oldest Windows the counters are registered' -Rows 'lodctr.exe of 10.0.17763 takes a manifest' {
    $build = [Environment]::OSVersion.Version.Build
    if ($build -ne 17763) {
        Skip "this is build $build"
    }
    $set = Get-Counter -ListSet 'WNBD Disk'
    Assert ($set.Paths -match 'Reads/sec') "the set has the counters $($set.Paths -join ', ')"
}
