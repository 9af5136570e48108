# SPDX-License-Identifier: LGPL-2.1-or-later
# What steps are made of: the client, diskio, disks as Windows sees them, events.

$Client = Join-Path $Package 'wnbd-client.exe'

# Runs the client; its output. -Code: the exit code that is expected.
function Invoke-Client {
    param([string[]] $Words, [int] $Code = 0)

    $preference = $ErrorActionPreference
    $ErrorActionPreference = 'Continue' # a line on stderr is no error of PowerShell's
    $said = & $Client @Words 2>&1
    $ended = $LASTEXITCODE
    $ErrorActionPreference = $preference
    Assert ($ended -eq $Code) "wnbd-client $Words ended with ${ended}: $($said -join ' ')"
    return $said | Where-Object { $_ -isnot [Management.Automation.ErrorRecord] } # notes on stderr are not the answer
}

function Get-ClientJson([string[]] $words) {
    $value = (Invoke-Client -Words ($words + @('--format', 'json'))) -join "`n" | ConvertFrom-Json
    return $value
}

# Nothing when no driver answers, which the client's exit code says, too.
function Get-DriverVersion {
    $preference = $ErrorActionPreference
    $ErrorActionPreference = 'Continue'
    $said = & $Client version --format json 2>$null
    $ErrorActionPreference = $preference
    return ($said -join "`n" | ConvertFrom-Json).driver
}

function Wait-Driver {
    [void] (Wait-Until { Get-DriverVersion } 30 'the driver does not answer')
}

function Get-Names {
    return @(Get-ClientJson @('list') | ForEach-Object { $_.name })
}

function Invoke-DiskIo([string[]] $words) {
    $output = & $DiskIo @words
    Assert ($LASTEXITCODE -eq 0) "diskio $words ended with $LASTEXITCODE"
    return $output
}

# Maps the export, if it is not (then the options go unused: Remove-MappedDisk comes first); the disk as Windows' storage module has it, online and writable.
function Get-MappedDisk([string[]] $options = @()) {
    if ((Get-Names) -notcontains $DiskName) {
        $words = @('map', $DiskName, $Server, '--port', "$Port", '--export-name', $Export) + $options
        [void] (Invoke-Client -Words $words)
    }
    $number = (Get-ClientJson @('show', $DiskName)).disk_number
    Update-HostStorageCache
    $disk = Get-Disk -Number $number
    if ($disk.IsOffline) {
        Set-Disk -Number $number -IsOffline $false
    }
    if ($disk.IsReadOnly) {
        Set-Disk -Number $number -IsReadOnly $false
    }
    return Get-Disk -Number $number
}

# The same without partitions: Windows lets nobody write below a volume that is mounted.
function Get-RawDisk([string[]] $options = @()) {
    $disk = Get-MappedDisk $options
    if ($disk.PartitionStyle -ne 'RAW') {
        Clear-Disk -Number $disk.Number -RemoveData -RemoveOEM -Confirm:$false
    }
    return Get-Disk -Number $disk.Number
}

function Remove-MappedDisk {
    if ((Get-Names) -contains $DiskName) {
        [void] (Invoke-Client -Words @('unmap', $DiskName))
    }
}

# Waits until the condition holds; how many seconds it took.
function Wait-Until([scriptblock] $condition, [int] $seconds, [string] $otherwise) {
    $watch = [Diagnostics.Stopwatch]::StartNew()
    while (-not (& $condition)) {
        Assert ($watch.Elapsed.TotalSeconds -lt $seconds) "$otherwise within $seconds s"
        Start-Sleep -Milliseconds 250
    }
    return [int] $watch.Elapsed.TotalSeconds
}

function Get-Events([string[]] $providers, [int] $level = 3) {
    $found = foreach ($provider in $providers) {
        Get-WinEvent -FilterHashtable @{ LogName = 'System'; ProviderName = $provider; StartTime = $Started } -ErrorAction SilentlyContinue
    }
    return @($found | Where-Object { $_ -and $_.Level -le $level -and $_.Level -ne 0 })
}

# Storport logs its time-outs (129) in the name of the miniport.
function Get-StorageEvents {
    $resets = @(Get-Events @('wnbd') | Where-Object { ($_.Id -band 0xffff) -eq 129 })
    return @(Get-Events @('storport', 'disk')) + $resets
}

# Starts a program in the background with its output in a file.
function Start-Background([string] $program, [string[]] $words) {
    $file = Join-Path $env:TEMP "wnbd-run-$([guid]::NewGuid()).txt"
    $quoted = $words | ForEach-Object { if ($_ -match '\s') { "`"$_`"" } else { $_ } }
    $process = Start-Process -FilePath $program -ArgumentList $quoted -PassThru -NoNewWindow -RedirectStandardOutput $file
    [void] $process.Handle # else there will be no ExitCode
    return $process
}

# Verified I/O for some seconds. A request that takes more than 120 s ends it with an error.
function Start-Load([int] $number, [int] $seconds) {
    return Start-Background $DiskIo @('storm', "$number", '--seconds', "$seconds", '--threads', '8', '--bytes', "$(512MB)")
}

# ExitCode of a process that runs throws: a message that has it must not be made before it is wanted.
function Assert-Running($process, [string] $otherwise) {
    if ($process.HasExited) {
        throw "${otherwise}: it has ended with $($process.ExitCode)"
    }
}

function Wait-Load($process, [int] $seconds) {
    Assert ($process.WaitForExit($seconds * 1000)) "the load did not end within $seconds s"
    Assert ($process.ExitCode -eq 0) "the load ended with $($process.ExitCode): an error, or data that is not what was written"
}
