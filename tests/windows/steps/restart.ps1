# SPDX-License-Identifier: LGPL-2.1-or-later
# What goes over a restart of the machine: a recorded disk, and Driver Verifier.

$Witness = Join-Path $env:ProgramData 'wnbd-run-witness.json'
$PatternWords = @('--seed', '11', '--bytes', "$(64MB)", '--depth', '8', '--size', "$(64KB)")

if (-not $AfterRestart) {
    Step 'before restart' -Expect 'the disk is recorded and written' {
        if (-not $Persistence) {
            Skip 'no -Persistence'
        }
        $disk = Get-RawDisk @('--persistent')
        [void] (Invoke-DiskIo (@('write-random', "$($disk.Number)") + $PatternWords))
        ConvertTo-Json @{ Time = (Get-Date).ToString('o') } | Set-Content $Witness
        $script:RestartIsDue = $true
        'RESTART THE MACHINE, then the same command with -AfterRestart'
    }

    Step 'verifier on' -Expect 'Driver Verifier will check wnbd.sys after the restart' {
        if (-not $Verifier) {
            Skip 'no -Verifier'
        }
        # Standard settings: special pool, IRQL checking, pool tracking, I/O verification, deadlocks, DMA, security, DDI rules.
        verifier.exe /standard /driver wnbd.sys | Out-Null
        Assert ((verifier.exe /querysettings) -match 'wnbd\.sys') 'verifier /querysettings does not name wnbd.sys'
        $script:RestartIsDue = $true
        'RESTART THE MACHINE, then the same command without -Verifier and with -Persistence as it was: every step again, under Verifier'
    }
} else {
    Step 'after restart' -Expect 'the recorded disk is there, the service runs, the data written before is on the server' -Rows @(
        'SRB_FUNCTION_FLUSH and SHUTDOWN succeed without a flush'
        'Unmapping at preshutdown ends before Windows goes on'
        'A device interface of our own on Storport') {
        Assert (Test-Path $Witness) 'no run with -Persistence came before'
        [void] (Wait-Until { (Get-Names) -contains $DiskName } 120 'the recorded disk is not mapped')
        Assert ((Get-Service wnbd-service).Status -eq 'Running') 'the service does not run'
        $disk = Get-MappedDisk
        [void] (Invoke-DiskIo (@('verify', "$($disk.Number)") + $PatternWords))
        $since = [datetime] (Get-Content -Raw $Witness | ConvertFrom-Json).Time
        $stopped = Get-WinEvent -ErrorAction SilentlyContinue -FilterHashtable @{
            LogName = 'Application'; ProviderName = 'wnbd-service'; Id = 104; StartTime = $since }
        Assert ($null -ne $stopped) 'there is no event 104: the service has not unmapped the disk at the shutdown'
        [void] (Invoke-Client -Words @('unmap', $DiskName, '--persistent'))
        Remove-Item $Witness
    }
}

Step 'verifier' -Expect 'all steps above ran under Driver Verifier, and the machine has not stopped' -Rows @(
    'IRQL rules are kept'
    'No paged code or data is touched'
    'Every interleaving is sound'
    'The driver''s code is gone only after') {
    if (-not ((verifier.exe /query) -match 'wnbd\.sys')) {
        Skip 'Driver Verifier does not check wnbd.sys (run with -Verifier, restart)'
    }
    $stops = @(Get-WinEvent -ErrorAction SilentlyContinue -FilterHashtable @{
            LogName = 'System'; ProviderName = 'Microsoft-Windows-WER-SystemErrorReporting'; StartTime = (Get-Date).AddDays(-1) })
    Assert ($stops.Count -eq 0) "$($stops.Count) bug checks within a day: $($stops[0].Message)"
}

Step 'event log' -Expect 'neither storport nor disk nor a file system have logged an error during the run' {
    $events = @(Get-Events @('storport', 'disk', 'partmgr', 'volmgr', 'Ntfs') 2)
    Assert ($events.Count -eq 0) (($events | Select-Object -First 5 | ForEach-Object { "$($_.ProviderName) $($_.Id): $($_.Message)" }) -join '; ')
}
