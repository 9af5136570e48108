# SPDX-License-Identifier: LGPL-2.1-or-later
# What goes over a restart of the machine: a recorded disk, and Driver Verifier. With -Verifier the first run ends with a restart and
# the same command again takes every step under Driver Verifier, with the driver that is installed. With -Persistence a run ends with
# a restart and goes on with -AfterRestart; with both, that is the run under Driver Verifier.

$Witness = Join-Path $env:ProgramData 'wnbd-run-witness.json'
$PatternWords = @('--seed', '11', '--bytes', "$(64MB)", '--depth', '8', '--size', "$(64KB)")

if (-not $AfterRestart) {
    Step 'before restart' -Expect 'the disk is recorded and written' {
        if (-not $Persistence) {
            Skip 'no -Persistence'
        }
        if ($Verifier -and -not (Test-Verifier)) {
            Skip 'that comes in the run under Driver Verifier'
        }
        Remove-MappedDisk
        $disk = Get-RawDisk @('--persistent')
        [void] (Invoke-DiskIo (@('write-random', "$($disk.Number)") + $PatternWords))
        $recorded = @(Get-ClientJson @('list') | Where-Object { $_.name -eq $DiskName -and $_.recorded })
        Assert ($recorded.Count -eq 1) 'the disk is not recorded'
        ConvertTo-Json @{ Time = (Get-Date).ToString('o') } | Set-Content $Witness
        $script:RestartIsDue = $true
        'RESTART THE MACHINE, then the same command with -AfterRestart'
    }

    Step 'verifier on' -Expect 'Driver Verifier will check wnbd.sys after the restart' {
        if (-not $Verifier) {
            Skip 'no -Verifier'
        }
        if (Test-Verifier) {
            Skip 'Driver Verifier checks wnbd.sys already'
        }
        # Standard settings: special pool, IRQL checking, pool tracking, I/O verification, deadlocks, DMA, security, DDI rules.
        verifier.exe /standard /driver wnbd.sys | Out-Null
        Assert ((verifier.exe /querysettings) -match 'wnbd\.sys') 'verifier /querysettings does not name wnbd.sys'
        $script:RestartIsDue = $true
        'RESTART THE MACHINE, then the same command again (without -AfterRestart): every step, under Driver Verifier'
    }
} else {
    Step 'after restart' -Expect 'the recorded disk is there, the service runs, the data written before is on the server' -Rows @(
        'SRB_FUNCTION_FLUSH and SHUTDOWN succeed without a flush'
        'Unmapping at preshutdown ends before Windows goes on'
        'A device interface of our own on Storport'
        'The performance counters appear in perfmon') {
        Assert (Test-Path $Witness) 'no run with -Persistence came before'
        [void] (Wait-Until { (Get-Names) -contains $DiskName } 120 'the recorded disk is not mapped')
        Assert ((Get-Service wnbd-service).Status -eq 'Running') 'the service does not run'
        $disk = Get-MappedDisk
        [void] (Invoke-DiskIo (@('verify', "$($disk.Number)") + $PatternWords))
        $since = [datetime] (Get-Content -Raw $Witness | ConvertFrom-Json).Time
        $stopped = Get-WinEvent -ErrorAction SilentlyContinue -FilterHashtable @{
            LogName = 'Application'; ProviderName = 'wnbd-service'; Id = 104; StartTime = $since }
        Assert ($null -ne $stopped) 'there is no event 104: the service has not unmapped the disk at the shutdown'
        Assert ((Get-Counter -ListSet 'WNBD Disk').Paths -match 'Reads/sec') 'the counters are not there after the restart'
        [void] (Invoke-Client -Words @('unmap', $DiskName, '--persistent'))
        Remove-Item $Witness
    }

    Step 'dependants' -Expect 'a service that depends on wnbd-service was started when the disk was there' `
        -Rows 'The service''s recovery actions, preshutdown time and dependants' {
        Skip-Unattended
        Confirm-Person 'was a service that had been made to depend on wnbd-service (sc config NAME depend= wnbd-service), and found its disk?'
    }
}

Step 'verifier' -Expect 'the loads above ran under Driver Verifier, and the machine has not stopped' -Rows @(
    'IRQL rules are kept'
    'No paged code or data is touched'
    'Every interleaving is sound') {
    if (-not (Test-Verifier)) {
        Skip 'Driver Verifier does not check wnbd.sys (run with -Verifier, restart)'
    }
    foreach ($name in 'raw I/O', 'memory disk') {
        $ran = @($Results | Where-Object { $_.Step -eq $name -and $_.Outcome -eq 'PASS' -and $_.Verified })
        if ($ran.Count -eq 0) {
            Skip "the step '$name' has not passed under Driver Verifier"
        }
    }
    $stops = @(Get-WinEvent -ErrorAction SilentlyContinue -FilterHashtable @{
            LogName = 'System'; ProviderName = 'Microsoft-Windows-WER-SystemErrorReporting'; StartTime = (Get-Date).AddDays(-1) })
    Assert ($stops.Count -eq 0) "$($stops.Count) bug checks within a day: $($stops | Select-Object -First 1 -ExpandProperty Message)"
}

Step 'event log' -Expect 'neither storport nor disk nor a file system have logged an error during the run' {
    $events = @(Get-Events @('storport', 'disk', 'partmgr', 'volmgr', 'Ntfs') 2)
    Assert ($events.Count -eq 0) (($events | Select-Object -First 5 | ForEach-Object { "$($_.ProviderName) $($_.Id): $($_.Message)" }) -join '; ')
}
