# SPDX-License-Identifier: LGPL-2.1-or-later
# wnbd-service: what Wine's service control manager and event log do not have.

function Get-ServiceEvents([int] $id) {
    return @(Get-WinEvent -ErrorAction SilentlyContinue -FilterHashtable @{
            LogName = 'Application'; ProviderName = 'wnbd-service'; Id = $id; StartTime = $Started })
}

Step 'service' -Expect 'installed with its recovery actions; killed, it runs again and takes the recorded disk over (event 103)' `
    -Rows 'The service''s recovery actions, preshutdown time and dependants' {
    Assert ((sc.exe qfailure wnbd-service) -match 'RESTART') 'sc qfailure names no restart'
    [void] (Get-MappedDisk @('--persistent'))
    Start-Service wnbd-service
    $id = (Get-CimInstance Win32_Service -Filter "Name='wnbd-service'").ProcessId
    Stop-Process -Id $id -Force
    $again = { (Get-CimInstance Win32_Service -Filter "Name='wnbd-service'").ProcessId -notin 0, $id }
    $took = Wait-Until $again 30 'the service is not started again'
    [void] (Wait-Until { @(Get-ServiceEvents 103).Count -gt 0 } 30 'there is no event 103')
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
    [void] (Invoke-Client -Words @('reset-adapter', '--hard-disconnect-mappings'))
    [void] (Wait-Until { @(Get-ServiceEvents 204).Count -gt 0 } 30 'there is no event 204')
    $back = Wait-Until { (Get-Names) -contains $DiskName } 60 'the disk does not come back'
    [void] (Invoke-Client -Words @('unmap', $DiskName))
    [void] (Wait-Until { @(Get-ServiceEvents 106).Count -gt 0 } 30 'there is no event 106')
    Start-Sleep 15
    Assert ((Get-Names) -notcontains $DiskName) 'the service has mapped a disk that somebody had unmapped'
    "back after $back s"
}

Step 'service stops' -Expect 'stopping the service unmaps the recorded disk; its record stays; starting it maps the disk' {
    Stop-Service wnbd-service
    Assert ((Get-Names) -notcontains $DiskName) 'the disk is still mapped'
    Start-Service wnbd-service
    [void] (Wait-Until { (Get-Names) -contains $DiskName } 60 'the disk does not come back')
    [void] (Invoke-Client -Words @('unmap', $DiskName, '--persistent'))
}
