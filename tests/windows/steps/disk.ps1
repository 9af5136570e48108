# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk of the server, without a file system.

Step 'map' -Expect 'the disk is there when map returns, of the export''s size, on a virtual bus, as the SAN policy says' {
    Remove-MappedDisk
    $offered = Get-ClientJson @('exports', $Server, '--port', "$Port", '--export-name', $Export)
    [void] (Invoke-Client -Words @('map', $DiskName, $Server, '--port', "$Port", '--export-name', $Export))
    $number = (Get-ClientJson @('show', $DiskName)).disk_number
    Update-HostStorageCache
    $fresh = Get-Disk -Number $number
    $policy = (Get-StorageSetting).NewDiskPolicy
    $isWrong = ($policy -eq 'OnlineAll' -and $fresh.IsOffline) -or ($policy -eq 'OfflineAll' -and -not $fresh.IsOffline)
    Assert (-not $isWrong) "policy $policy, but offline is $($fresh.IsOffline)"
    $disk = Get-RawDisk
    Assert ($disk.Size -eq @($offered)[0].size) "Windows has $($disk.Size) bytes, the server $(@($offered)[0].size)"
    Assert ("$($disk.BusType)" -in 'Virtual', '14') "the bus is $($disk.BusType)"
    "SAN policy $policy, offline $($fresh.IsOffline), read-only $($fresh.IsReadOnly)"
    "disk $number, $($disk.FriendlyName), $($disk.Size) bytes, bus $($disk.BusType), sectors $($disk.LogicalSectorSize)/$($disk.PhysicalSectorSize)"
}

Step 'SAN policy' -Expect 'with the policy OfflineAll map says that Windows keeps the disk offline' `
    -Rows 'A disk that the SAN policy keeps offline' {
    Remove-MappedDisk
    $policy = (Get-StorageSetting).NewDiskPolicy
    Set-StorageSetting -NewDiskPolicy OfflineAll
    try {
        # Windows remembers disks that it has seen: a new -Export settles a doubt.
        $words = @('map', $DiskName, $Server, '--port', "$Port", '--export-name', $Export)
        $mapped = Get-ClientJson $words
    } finally {
        Set-StorageSetting -NewDiskPolicy $policy
    }
    Assert $mapped.windows_offline 'windows_offline is false: Windows may remember this disk as online'
    Assert (Get-Disk -Number $mapped.disk_number).IsOffline 'Windows has it online'
}

Step 'raw I/O' -Expect 'what is written is read again, with requests of many sizes and 32 at once' -VerifierRows @(
    'An MDL built in place in the SRB'
    'IRQL rules are kept'
    'Every interleaving is sound') {
    $disk = Get-RawDisk
    foreach ($size in '512', '4096', '65536', '1048576') {
        $words = @("$($disk.Number)", '--seed', $size, '--bytes', "$(256MB)", '--depth', '32', '--size', $size)
        if ($size -eq '512') {
            $words[4] = "$(16MB)"
        }
        [void] (Invoke-DiskIo (@('write-random') + $words))
        [void] (Invoke-DiskIo (@('verify') + $words))
    }
    Wait-Load (Start-Load $disk.Number 30) 120
    'four request sizes and a storm of 30 s'
}

Step 'diskspd' -Expect 'diskspd ends without an error; its figures are for comparison' {
    if (-not $DiskSpd) {
        Skip 'no -DiskSpd'
    }
    $disk = Get-RawDisk
    foreach ($depth in 1, 32) {
        $words = @('-b4K', '-r', "-o$depth", '-t1', '-w0', '-d15', '-Sh', '-L', "#$($disk.Number)")
        $output = & $DiskSpd @words
        Assert ($LASTEXITCODE -eq 0) "diskspd ended with $LASTEXITCODE"
        "depth $depth`: " + ($output | Select-String '^total:' | Select-Object -First 1)
    }
}

Step 'write and verify' -Expect 'WRITE AND VERIFY of 8 blocks succeeds and the blocks are there' `
    -Rows 'Storport treats WRITE AND VERIFY' {
    $disk = Get-RawDisk
    $bytes = 8 * $disk.LogicalSectorSize
    $file = Join-Path $env:TEMP 'wnbd-run-block.bin'
    $data = [byte[]]::new($bytes)
    [Random]::new(7).NextBytes($data)
    $hex = -join ($data | ForEach-Object { $_.ToString('x2') })
    [void] (Invoke-DiskIo @('cdb', "$($disk.Number)", '2e000000001000000800', '--out-hex', $hex))
    [void] (Invoke-DiskIo @('read', "$($disk.Number)", "$(16 * $disk.LogicalSectorSize)", "$bytes", '--out', $file))
    $read = [IO.File]::ReadAllBytes($file)
    Assert ([Linq.Enumerable]::SequenceEqual([byte[]] $data, [byte[]] $read)) 'the blocks are others'
}

Step 'blocks in use' -Expect 'of a server with block status, Windows says how many bytes of the disk are in use' `
    -Rows 'IOCTL_STORAGE_GET_LB_PROVISIONING_MAP_RESOURCES gives' {
    $disk = Get-RawDisk
    $page = Invoke-DiskIo @('cdb', "$($disk.Number)", '4d000000000000004000', '--in', '64')
    if (-not ($page -match 'data *: *[0-9a-f]{8}000c')) {
        Skip 'the server has no block status'
    }
    [void] (Invoke-DiskIo @('write', "$($disk.Number)", '0', "$(1MB)", '1'))
    $told = Invoke-DiskIo @('mapping', "$($disk.Number)")
    Assert ($told -match 'used.valid *: *1' -and $told -match 'used.scope *: *1') 'it does not say what is in use'
    Assert ($told -match 'available.valid *: *0') 'it says what is available'
    $used = [uint64] (($told | Select-String 'used.bytes *: *(\d+)').Matches[0].Groups[1].Value)
    Assert ($used -ge 1MB -and $used -le $disk.Size + 1GB) "$used bytes are said to be in use"
    "$used bytes of $($disk.Size); compare with nbdinfo --map --totals of the export"
}

Step 'patterns' -Expect 'two WRITE SAME with a pattern at once both succeed' `
    -Rows 'A request that is completed with SRB_STATUS_BUSY comes again' {
    $disk = Get-RawDisk
    $blocks = [int] (64MB / $disk.LogicalSectorSize)
    $pattern = 'a5' * $disk.LogicalSectorSize
    $running = foreach ($index in 0, 1) {
        $cdb = '9300{0:x16}{1:x8}0000' -f ($index * $blocks), $blocks
        Start-Background $DiskIo @('cdb', "$($disk.Number)", $cdb, '--out-hex', $pattern)
    }
    foreach ($process in $running) {
        Wait-Load $process 120
    }
}

Step 'counters' -Expect 'Windows'' performance counters and the driver''s both count what a load does' {
    $disk = Get-RawDisk
    $before = (Get-ClientJson @('stats', $DiskName)).traffic
    $load = Start-Load $disk.Number 10
    $samples = Get-Counter "\PhysicalDisk($($disk.Number)*)\Disk Transfers/sec" -SampleInterval 2 -MaxSamples 3
    Wait-Load $load 60
    $rates = $samples | ForEach-Object { $_.CounterSamples[0].CookedValue }
    Assert (($rates | Measure-Object -Maximum).Maximum -gt 0) 'Windows counts no transfers'
    $after = (Get-ClientJson @('stats', $DiskName)).traffic
    Assert ("$($before | ConvertTo-Json -Depth 6)" -ne "$($after | ConvertTo-Json -Depth 6)") 'the driver counts nothing'
    "at most $([int] ($rates | Measure-Object -Maximum).Maximum) transfers per second"
}

Step 'WNBD counters' -Expect 'the counter set WNBD Disk is there with its names; it and the client count the same' -Rows @(
    'The performance counters appear in perfmon'
    'PERF_AVERAGE_TIMER is a 64-bit value') {
    $disk = Get-RawDisk
    $set = Get-Counter -ListSet 'WNBD Disk'
    Assert ($set.Paths -match 'Reads/sec') "the set has the counters $($set.Paths -join ', ')"
    $load = Start-Load $disk.Number 10
    $reads = "\WNBD Disk($DiskName)\Reads/sec"
    $counters = @($reads, "\WNBD Disk($DiskName)\Avg. sec/Read", "\PhysicalDisk($($disk.Number)*)\Avg. Disk sec/Read")
    $samples = Get-Counter $counters -SampleInterval 5 -MaxSamples 1
    Wait-Load $load 60
    $rate, $ours, $windows = foreach ($name in 'reads/sec', 'avg. sec/read', 'avg. disk sec/read') {
        ($samples.CounterSamples | Where-Object Path -like "*\$name" | Select-Object -First 1).CookedValue
    }
    Assert ($rate -gt 0) 'the set counts no reads'
    Assert ($ours -gt $windows * 2 / 3 -and $ours -lt $windows * 4 / 3) "a read takes $ours s, by PhysicalDisk's counter $windows s"
    $before = (Get-ClientJson @('stats', $DiskName)).traffic.read.answered
    $counted = (Get-Counter $reads).CounterSamples[0].RawValue # all of them; Windows may read one meanwhile
    $after = (Get-ClientJson @('stats', $DiskName)).traffic.read.answered
    Assert ($counted -ge $before -and $counted -le $after) "the set has counted $counted reads, the client $before to $after"
    "$([int] $rate) reads per second; a read takes $ours s, by PhysicalDisk's counter $windows s"
}

Step 'counters for others' -Expect 'a member of Performance Monitor Users sees the counters and their names' `
    -Rows 'The names of the counters are read' {
    Skip-Unattended
    [void] (Get-MappedDisk)
    Confirm-Person 'as a user in Performance Monitor Users, and in no group of administrators: does perfmon show the set WNBD Disk by its names?'
}

Step 'counters and reset' -Expect 'the adapter can be reset while somebody collects its counters' `
    -VerifierRows 'PcwUnregister returns only when' {
    [void] (Get-MappedDisk)
    $collector = Start-Job {
        while ($true) {
            Get-Counter '\WNBD Disk(*)\*' -ErrorAction SilentlyContinue | ForEach-Object { 'collected' }
        }
    }
    try {
        foreach ($round in 1..10) {
            Start-Sleep -Seconds 3
            [void] (Invoke-Client -Words @('reset-adapter', '--hard-disconnect-mappings'))
            Wait-Driver
            [void] (Get-MappedDisk)
        }
        $times = @(Receive-Job $collector -ErrorAction SilentlyContinue).Count
    } finally {
        Remove-Job $collector -Force
    }
    Assert ($times -gt 3) "the counters were collected $times times meanwhile"
    "ten times, the counters were collected $times times"
}

Step 'memory' -Expect 'a disk costs less than 256 KiB of non-paged pool' -Rows 'A disk costs less than 256 KiB' {
    Remove-MappedDisk
    $count = 16
    $before = (Get-Counter '\Memory\Pool Nonpaged Bytes').CounterSamples[0].CookedValue
    $words = @('--port', "$Port", '--export-name', $Export, '--read-only')
    try {
        foreach ($index in 1..$count) {
            [void] (Invoke-Client -Words (@('map', "$DiskName-$index", $Server) + $words))
        }
        $after = (Get-Counter '\Memory\Pool Nonpaged Bytes').CounterSamples[0].CookedValue
    } finally {
        foreach ($index in 1..$count) {
            if ((Get-Names) -contains "$DiskName-$index") {
                [void] (Invoke-Client -Words @('unmap', "$DiskName-$index"))
            }
        }
    }
    $each = [int] (($after - $before) / $count / 1KB)
    Assert ($each -gt 0) 'the pool has shrunk meanwhile: run the step again'
    Assert ($each -lt 256) "$each KiB a disk, with what Windows itself has for one: poolmon, tags Wnb*, tells them apart"
    "$each KiB a disk, with what Windows itself has for one and everything else that happened meanwhile"
}
