# SPDX-License-Identifier: LGPL-2.1-or-later
# wnbd-service: what Wine's service control manager and event log do not have.

function Get-ServiceEvents([int] $id) {
    return @(Get-WinEvent -ErrorAction SilentlyContinue -FilterHashtable @{
            LogName = 'Application'; ProviderName = 'wnbd-service'; Id = $id; StartTime = $Started })
}

# An event more than there were; how many seconds it took.
function Wait-ServiceEvent([int] $id, [int] $before, [int] $seconds) {
    return Wait-Until { @(Get-ServiceEvents $id).Count -gt $before } $seconds "there is no event $id"
}

Step 'service' -Expect 'installed with its recovery actions and 90 s; killed, it runs again and takes the recorded disk over (event 103)' `
    -Rows 'The service''s recovery actions, preshutdown time and dependants' {
    Assert ((sc.exe qfailure wnbd-service) -match 'RESTART') 'sc qfailure names no restart'
    $key = Get-ItemProperty 'HKLM:\SYSTEM\CurrentControlSet\Services\wnbd-service'
    Assert ($key.PreshutdownTimeout -eq 90000) "Windows waits $($key.PreshutdownTimeout) ms for it at preshutdown"
    Remove-MappedDisk
    [void] (Get-MappedDisk @('--persistent'))
    Start-Service wnbd-service
    [void] (Wait-Until { @(Get-ClientJson @('list') | Where-Object { $_.name -eq $DiskName -and $_.recorded }).Count -eq 1 } 30 'the disk is not recorded')
    $before = @(Get-ServiceEvents 103).Count
    $id = (Get-CimInstance Win32_Service -Filter "Name='wnbd-service'").ProcessId
    Stop-Process -Id $id -Force
    $again = { (Get-CimInstance Win32_Service -Filter "Name='wnbd-service'").ProcessId -notin 0, $id }
    $took = Wait-Until $again 30 'the service is not started again'
    [void] (Wait-ServiceEvent 103 $before 30)
    "again after $took s"
}

Step 'event texts' -Expect 'the events have their texts' -Rows 'The texts of the service''s events' {
    $event = Get-ServiceEvents 100 | Select-Object -First 1
    Assert ($null -ne $event) 'there is no event 100'
    Assert ($event.Message -match 'The service is running') "the text is: $($event.Message)"
    $event.Message
}

Step 'service and adapter' -Expect 'the recorded disk comes back after a reset (event 204); unmapped, it stays so (event 106)' `
    -Rows 'Windows tells a service that the adapter or a disk has gone' {
    $gone, $unmapped = @(Get-ServiceEvents 204).Count, @(Get-ServiceEvents 106).Count
    [void] (Invoke-Client -Words @('reset-adapter', '--hard-disconnect-mappings'))
    [void] (Wait-ServiceEvent 204 $gone 30)
    $back = Wait-Until { (Get-Names) -contains $DiskName } 60 'the disk does not come back'
    [void] (Invoke-Client -Words @('unmap', $DiskName))
    $took = Wait-ServiceEvent 106 $unmapped 5
    Start-Sleep -Seconds 15
    Assert (@(Get-ServiceEvents 106).Count -eq $unmapped + 1) 'there is more than one event 106'
    Assert ((Get-Names) -notcontains $DiskName) 'the service has mapped a disk that somebody had unmapped'
    "back after $back s, event 106 after $took s"
}

Step 'service stops' -Expect 'stopping the service unmaps the recorded disk; its record stays; starting it maps the disk' {
    Stop-Service wnbd-service
    Assert ((Get-Names) -notcontains $DiskName) 'the disk is still mapped'
    Start-Service wnbd-service
    [void] (Wait-Until { (Get-Names) -contains $DiskName } 60 'the disk does not come back')
    [void] (Invoke-Client -Words @('unmap', $DiskName, '--persistent'))
}
