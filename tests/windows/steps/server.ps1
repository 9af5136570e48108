# SPDX-License-Identifier: LGPL-2.1-or-later
# Servers that are silent, go away, come back; the machine that sleeps; the adapter that is disabled.

# A server that takes connections and says nothing, as a port of this machine.
function Start-SilentServer {
    $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
    $listener.Start()
    return $listener
}

Step 'silent server' -Expect 'map of a silent server is ended at once with its process; nothing is mapped; the next map ends by its own time-out' -Rows @(
    'A service IRP that pends with a cancel routine of ours'
    'WSK: IPv6, cancellation, TCP options, inline completion') {
    $listener = Start-SilentServer
    try {
        $words = @('map', 'silent', '127.0.0.1', '--port', "$($listener.LocalEndpoint.Port)")
        $process = Start-Background $Client $words
        Start-Sleep -Seconds 2
        Assert-Running $process 'map does not wait for ConnectTimeoutMs'
        $process.Kill()
        Assert ($process.WaitForExit(5000)) 'the process does not end: its IOCTL is not cancelled'
        $took = Measure-Command { [void] (Invoke-Client -Words $words -Code 121) }
        Assert ($took.TotalSeconds -lt 30) "the second map took $($took.TotalSeconds) s"
    } finally {
        $listener.Stop()
    }
    Assert ((Get-Names) -notcontains 'silent') 'the disk is listed'
}

Step 'Ctrl-C' -Expect 'Ctrl-C ends map of a silent server with 995, and list --watch with 0' -Rows @(
    'A service IRP that pends with a cancel routine of ours'
    'Ctrl-C ends `list --watch`') {
    Skip-Unattended
    $listener = Start-SilentServer
    try {
        Request-Person "in another elevated prompt run: wnbd-client map silent 127.0.0.1 --port $($listener.LocalEndpoint.Port); type Ctrl-C within 10 s"
        Confirm-Person 'does `echo %ERRORLEVEL%` say 995, and `wnbd-client list` not have it?'
    } finally {
        $listener.Stop()
    }
    Confirm-Person 'run `wnbd-client list --watch` there, type Ctrl-C: does `echo %ERRORLEVEL%` say 0?'
}

Step 'IPv6' -Expect 'the export can be mapped over IPv6 and read' -Rows 'WSK: IPv6, cancellation, TCP options, inline completion' {
    if (-not $Server6) {
        Skip 'no -Server6'
    }
    Remove-MappedDisk
    [void] (Invoke-Client -Words @('map', $DiskName, $Server6, '--port', "$Port", '--export-name', $Export))
    $disk = Get-RawDisk
    Wait-Load (Start-Load $disk.Number 10) 120
    Remove-MappedDisk
}

Step 'name server' -Expect 'map can be ended while the name of the server cannot be looked up' `
    -Rows 'WSK honours IoCancelIrp on WskGetAddressInfo' {
    Request-Person 'make the name server unreachable (another DNS address), and leave it so until the next question'
    $process = Start-Background $Client @('map', 'nameless', 'wnbd-run.example', '--no-wait')
    Start-Sleep -Seconds 1
    $process.Kill()
    Assert ($process.WaitForExit(10000)) 'the process does not end'
    Assert ((Get-Names) -notcontains 'nameless') 'the disk is listed'
    Request-Person 'make the name server reachable again'
}

Step 'lost server' -Expect 'I/O waits while the server is away for 70 s, no reset, no storport event; then it goes on' -Rows @(
    'Storport''s queueing, time-out and reset order'
    'A paused device''s requests do not age') -VerifierRows @(
    'WskSend on one socket from inside a completion'
    'EtwWrite and IoWriteErrorLogEntry from StartIo'
    'MmInitializeMdl and MmBuildMdlForNonPagedPool at DISPATCH_LEVEL') {
    Skip-Unattended
    Remove-MappedDisk
    $disk = Get-RawDisk @('--connections', '4')
    $events = @(Get-StorageEvents).Count
    $load = Start-Load $disk.Number 20
    Start-Sleep -Seconds 3
    Request-Person 'stop the NBD server now'
    Start-Sleep -Seconds 70 # more than the time-out of a request of class disk, 60 s; diskio has 120 s
    Request-Person 'start the NBD server again'
    Wait-Load $load 240
    $server = (Get-ClientJson @('show', $DiskName)).server
    Assert ($server.reconnects -ge 1) 'show tells of no reconnection'
    Assert (@(Get-StorageEvents).Count -eq $events) 'storport or disk have logged something: look at the event log System'
    "$($server.reconnects) reconnections, $($server.replayed_requests) requests sent again"
}

Step 'server gone for good' -Expect 'after ReconnectTimeoutMs requests fail with an error; the disk stays and works again' `
    -Rows 'Sense of a lost connection' {
    Skip-Unattended
    $disk = Get-RawDisk
    [void] (Invoke-Client -Words @('set-opt', 'ReconnectTimeoutMs', '15000'))
    try {
        Request-Person 'stop the NBD server'
        & $DiskIo write "$($disk.Number)" 0 4096 90
        Assert ($LASTEXITCODE -ne 0) 'a write succeeded without a server'
        Assert ((Get-Names) -contains $DiskName) 'the disk is gone'
        Request-Person 'start the NBD server again'
        [void] (Wait-Until { (Get-ClientJson @('show', $DiskName)).server.state -eq 'connected' } 120 'the disk does not reconnect')
        [void] (Invoke-DiskIo @('write', "$($disk.Number)", '0', '4096', '90'))
    } finally {
        [void] (Invoke-Client -Words @('reset-opt', 'ReconnectTimeoutMs'))
    }
}

Step 'grow' -Expect 'Windows has the new size of an export that has grown over a restart of its server' `
    -Rows 'The unit attention 06/2A/09 and BusChangeDetected' {
    Skip-Unattended
    $disk = Get-RawDisk
    Request-Person 'stop the server, make the export 1 GiB larger, start the server'
    [void] (Wait-Until { Update-HostStorageCache; (Get-Disk -Number $disk.Number).Size -gt $disk.Size } 120 'Windows has the old size')
    "from $($disk.Size) to $((Get-Disk -Number $disk.Number).Size) bytes"
}

Step 'sleep' -Expect 'after sleep the disk works within 30 s, on a connection that was made again' -Rows 'ScsiRestartAdapter comes after sleep' {
    Skip-Unattended
    $disk = Get-RawDisk
    $before = (Get-ClientJson @('show', $DiskName)).server.reconnects
    Request-Person 'put the machine to sleep (and, in a second run, into hibernation), wake it after a minute'
    $took = Measure-Command { [void] (Invoke-DiskIo @('read', "$($disk.Number)", '0', '4096')) }
    $after = (Get-ClientJson @('show', $DiskName)).server.reconnects
    Assert ($after -gt $before) 'no connection was made again: did the machine sleep?'
    Assert ($took.TotalSeconds -lt 30) "the first read took $([int] $took.TotalSeconds) s"
    "the first read took $([int] $took.TotalMilliseconds) ms"
}

Step 'disable disk' -Expect 'with requests that wait for a server the disk can be disabled: they end with errors at once' `
    -Rows 'StorSurpriseRemoval comes for a unit' {
    Skip-Unattended
    $disk = Get-RawDisk
    $device = (Get-ClientJson @('show', $DiskName)).pnp_device_id
    Request-Person 'stop the NBD server'
    $load = Start-Load $disk.Number 5
    Start-Sleep -Seconds 3
    Assert-Running $load 'requests do not wait for the server'
    Disable-PnpDevice -InstanceId $device -Confirm:$false -ErrorAction SilentlyContinue -ErrorVariable refused
    $ended = $load.WaitForExit(30000)
    Enable-PnpDevice -InstanceId $device -Confirm:$false
    Request-Person 'start the NBD server again'
    Assert $ended "requests have not ended within 30 s (Windows said of disabling: $refused)"
    Assert ($load.ExitCode -ne 0) 'requests have ended without an error'
}

Step 'disable adapter' -Expect 'with I/O under way the adapter can be disabled: requests end with errors, and it starts again' `
    -Rows 'ScsiStopAdapter ends connections with requests out' {
    $disk = Get-RawDisk
    $adapter = Get-PnpDevice -Class SCSIAdapter | Where-Object HardwareID -contains 'root\wnbd'
    $load = Start-Load $disk.Number 60
    Start-Sleep -Seconds 3
    Disable-PnpDevice -InstanceId $adapter.InstanceId -Confirm:$false
    $ended = $load.WaitForExit(30000) # by itself it would end later
    Enable-PnpDevice -InstanceId $adapter.InstanceId -Confirm:$false
    Assert $ended 'requests have not ended within 30 s'
    Assert ($load.ExitCode -ne 0) 'requests have ended without an error'
    Wait-Driver
    [void] (Get-MappedDisk)
}
