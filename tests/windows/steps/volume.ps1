# SPDX-License-Identifier: LGPL-2.1-or-later
# A file system on the disk, and its removal while somebody uses it.

# The disk with one NTFS volume, made if there is none; the drive letter.
function Get-VolumeLetter {
    $disk = Get-MappedDisk
    $partition = if ($disk.PartitionStyle -ne 'RAW') {
        Get-Partition -DiskNumber $disk.Number | Where-Object DriveLetter | Select-Object -First 1
    }
    if (-not $partition) {
        if ($disk.PartitionStyle -ne 'RAW') {
            Clear-Disk -Number $disk.Number -RemoveData -RemoveOEM -Confirm:$false
        }
        Initialize-Disk -Number $disk.Number -PartitionStyle GPT
        $partition = New-Partition -DiskNumber $disk.Number -UseMaximumSize -AssignDriveLetter
        [void] ($partition | Format-Volume -FileSystem NTFS -NewFileSystemLabel wnbd-run -Confirm:$false)
    }
    return $partition.DriveLetter
}

Step 'volume' -Expect 'the disk can be partitioned, formatted and filled; files are as they were; chkdsk finds nothing; trim ends' `
    -Rows 'partmgr, volmgr, NTFS work on the disk' {
    [void] (Get-RawDisk)
    $letter = Get-VolumeLetter
    $source = Get-ChildItem "$env:SystemRoot\System32" -Filter *.dll -File | Select-Object -First 200
    $source | Copy-Item -Destination "${letter}:\" -ErrorAction SilentlyContinue
    Write-VolumeCache $letter
    $copied = @(Get-ChildItem "${letter}:\" -Filter *.dll).Count
    Assert ($copied -gt 100) "only $copied files were copied"
    $different = foreach ($file in Get-ChildItem "${letter}:\" -Filter *.dll) {
        if ((Get-FileHash $file.FullName).Hash -ne (Get-FileHash "$env:SystemRoot\System32\$($file.Name)").Hash) {
            $file.Name
        }
    }
    Assert (-not $different) "these files are others: $different"
    $check = chkdsk.exe "${letter}:" /scan
    Assert ($LASTEXITCODE -eq 0) "chkdsk ended with ${LASTEXITCODE}: $($check | Select-Object -Last 5)"
    Optimize-Volume -DriveLetter $letter -ReTrim
    "drive $letter`:, $copied files"
}

Step 'volume survives' -Expect 'unmapped softly and mapped again, the volume and its files are there' `
    -Rows 'Disks come and go as PnP events' {
    $letter = Get-VolumeLetter
    Set-Content "${letter}:\witness.txt" 'still here'
    Remove-MappedDisk
    [void] (Get-MappedDisk)
    [void] (Wait-Until { Test-Path "${letter}:\witness.txt" } 30 'the volume does not come back')
    Assert ((Get-Content "${letter}:\witness.txt") -eq 'still here') 'the file is another'
}

Step 'veto' -Expect 'a soft unmap of a disk with an open file fails and names who holds it; then it succeeds' `
    -Rows 'Disks come and go as PnP events' {
    $letter = Get-VolumeLetter
    $open = [IO.File]::Open("${letter}:\open.txt", 'Create', 'ReadWrite', 'None')
    $preference = $ErrorActionPreference
    try {
        $ErrorActionPreference = 'Continue'
        $words = @('unmap', $DiskName, '--no-hard-disconnect-fallback', '--soft-disconnect-timeout', '5')
        $text = & $Client @words 2>&1
        $code = $LASTEXITCODE
    } finally {
        $ErrorActionPreference = $preference
        $open.Dispose()
    }
    Assert ($code -ne 0) 'unmap succeeded while a file was open'
    Assert ((Get-Names) -contains $DiskName) 'the disk is gone although unmap failed'
    Assert ("$text" -match 'vetoed by') "it does not say who holds the disk: $text"
    Remove-MappedDisk
    "$text"
}

Step 'others come and go' -Expect 'a soft unmap succeeds while another disk is mapped and unmapped all the time' `
    -Rows 'A disk whose device was removed (CM_REMOVE_NO_RESTART)' {
    $loop = "for /L %i in (1,1,20) do @(`"$Client`" map other $Server --port $Port --export-name `"$Export`" --read-only --force & `"$Client`" unmap other)"
    $other = Start-Background 'cmd.exe' @('/c', $loop)
    try {
        foreach ($round in 1..5) {
            $words = @('map', $DiskName, $Server, '--port', "$Port", '--export-name', $Export, '--read-only', '--force')
            [void] (Invoke-Client -Words $words)
            [void] (Invoke-Client -Words @('unmap', $DiskName, '--no-hard-disconnect-fallback'))
        }
    } finally {
        $ended = $other.WaitForExit(120000)
    }
    Assert $ended 'the other disk is still being mapped and unmapped'
    Assert ($other.ExitCode -eq 0) "the last unmap of the other disk ended with $($other.ExitCode)"
    'five rounds'
}
