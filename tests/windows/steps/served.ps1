# SPDX-License-Identifier: LGPL-2.1-or-later
# Disks that a program serves: map --ram and map --file.

$ServedName = 'wnbd-run-served'

# Starts the client as a disk; its process and the number of the disk.
function Start-Served([string[]] $words) {
    $process = Start-Background $Client (@('map', $ServedName) + $words)
    [void] (Wait-Until { (Get-Names) -contains $ServedName -and (Get-ClientJson @('show', $ServedName)).disk_number -ge 0 } 30 'no disk')
    $number = (Get-ClientJson @('show', $ServedName)).disk_number
    Update-HostStorageCache
    Set-Disk -Number $number -IsOffline $false -ErrorAction SilentlyContinue
    Set-Disk -Number $number -IsReadOnly $false -ErrorAction SilentlyContinue
    return [pscustomobject] @{ Process = $process; Number = $number }
}

function Stop-Served($served) {
    [void] (Invoke-Client -Words @('unmap', $ServedName))
    Assert ($served.Process.WaitForExit(10000)) 'the program does not end with its disk'
}

# How many bytes of its volume a sparse file has.
function Get-Allocated([string] $file) {
    $total = 0
    foreach ($line in fsutil.exe sparse queryrange $file) {
        if ($line -match '0x([0-9a-fA-F]+)\D+0x([0-9a-fA-F]+)\s*$') {
            $total += [Convert]::ToInt64($Matches[2], 16)
        }
    }
    return $total
}

Step 'memory disk' -Expect 'verified I/O on a disk that a program serves' -VerifierRows @(
    'HwProcessServiceRequest runs in the thread'
    'StorPortCompleteServiceIrp inside StartIo'
    'A system-space view of a section') {
    foreach ($round in 1..5) {
        $served = Start-Served @('--ram', '1G')
        Wait-Load (Start-Load $served.Number 10) 60
        Stop-Served $served
    }
    'five rounds of map, I/O, unmap'
}

Step 'killed program' -Expect 'a disk is gone within seconds, its requests with errors, when the program that serves it is killed' `
    -VerifierRows 'IRP_MJ_CLEANUP is seen before Storport' {
    $served = Start-Served @('--ram', '64M')
    $load = Start-Load $served.Number 30
    Start-Sleep -Seconds 2
    Assert-Running $load 'there is no load'
    $served.Process.Kill()
    $took = Wait-Until { (Get-Names) -notcontains $ServedName } 10 'the disk is still there'
    Assert ($load.WaitForExit(60000)) 'requests have not ended'
    Assert ($load.ExitCode -ne 0) 'requests have ended without an error'
    "gone after $took s"
}

Step 'closed console' -Expect 'the disk is gone after its console was closed' -Rows 'A console that is closed, not Ctrl-C' {
    Request-Person "open a console, run: wnbd-client map $ServedName --ram 64M; wait for the disk and open it (Disk Management)"
    Assert ((Get-Names) -contains $ServedName) 'there is no such disk'
    Request-Person "close that console's window"
    [void] (Wait-Until { (Get-Names) -notcontains $ServedName } 15 'the disk is still there')
}

Step 'suspended program' -Expect 'with all threads of the serving program suspended for 70 s the disk stays, after they go on nothing is lost' -Rows @(
    'A thread in a critical region'
    'An aborted request of a disk that a program serves') {
    Skip-Unattended
    $served = Start-Served @('--ram', '256M')
    try {
        $load = Start-Load $served.Number 30
        $watch = [Diagnostics.Stopwatch]::StartNew()
        Request-Person "suspend process $($served.Process.Id) now (Resource Monitor, CPU, Suspend Process)"
        Assert-Running $load 'too late for the load'
        Start-Sleep -Seconds 70 # more than the time-out of a request of class disk, 60 s; diskio has 120 s
        Assert-Running $load 'the program was not suspended, or requests have failed'
        Assert ((Get-Names) -contains $ServedName) 'the disk is gone'
        Request-Person 'resume the process'
        Wait-Load $load 300
    } finally {
        Stop-Served $served
    }
    "the load of 30 s took $([int] $watch.Elapsed.TotalSeconds) s; $(@(Get-StorageEvents).Count) events of Storport and disk in this run"
}

Step 'file disk' -Expect 'a sparse file as a disk: formatted, filled, emptied, trimmed, and its room is given back' `
    -Rows 'Unmapping a file that is sparse gives its room back' {
    $file = Join-Path $env:TEMP 'wnbd-run.img'
    Remove-Item $file -ErrorAction SilentlyContinue
    $served = Start-Served @('--file', $file, '--size', '2G')
    try {
        Initialize-Disk -Number $served.Number -PartitionStyle GPT
        $partition = New-Partition -DiskNumber $served.Number -UseMaximumSize -AssignDriveLetter
        [void] ($partition | Format-Volume -FileSystem NTFS -Confirm:$false)
        fsutil.exe file createnew "$($partition.DriveLetter):\large" 1073741824 | Out-Null
        Assert ($LASTEXITCODE -eq 0) "fsutil ended with $LASTEXITCODE"
        [void] (Invoke-DiskIo @('write', "$($partition.DriveLetter):\large", '0', "$(512MB)", '90'))
        Write-VolumeCache $partition.DriveLetter
        $full = Get-Allocated $file
        Assert ($full -ge 512MB) "the file has only $full bytes on its volume after 512 MiB were written"
        Remove-Item "$($partition.DriveLetter):\large"
        Optimize-Volume -DriveLetter $partition.DriveLetter -ReTrim
        Start-Sleep -Seconds 5
        $empty = Get-Allocated $file
        Assert ($empty -lt $full - 256MB) "the file had $full bytes on its volume, after the trim $empty"
    } finally {
        Stop-Served $served
        Remove-Item $file -ErrorAction SilentlyContinue
    }
    "from $([int] ($full / 1MB)) to $([int] ($empty / 1MB)) MiB"
}

Step 'more than memory' -Expect 'more can be copied onto a file as a disk than the machine has memory; no difference is found' `
    -Rows 'A file as a disk' {
    $file = Join-Path $env:TEMP 'wnbd-run-large.img'
    $memory = (Get-CimInstance Win32_ComputerSystem).TotalPhysicalMemory
    $bytes = [long] ($memory * 1.25)
    $room = (Get-PSDrive (Split-Path -Qualifier $env:TEMP).TrimEnd(':')).Free
    if ($room -lt $bytes + 10GB) {
        Skip "needs $([int] ($bytes / 1GB)) GiB and some in $env:TEMP, there are $([int] ($room / 1GB))"
    }
    $served = Start-Served @('--file', $file, '--size', "$($bytes + 1GB)")
    try {
        $words = @("$($served.Number)", '--seed', '3', '--bytes', "$($bytes - $bytes % 1MB)", '--depth', '8', '--size', "$(1MB)")
        [void] (Invoke-DiskIo (@('write-random') + $words))
        [void] (Invoke-DiskIo (@('verify') + $words))
        Assert ((Get-Item $file).Length -ge $bytes) 'the file is shorter than what was written'
    } finally {
        Stop-Served $served
        Remove-Item $file -ErrorAction SilentlyContinue
    }
    "$([int] ($bytes / 1GB)) GiB"
}
