# SPDX-License-Identifier: LGPL-2.1-or-later
# The end: nothing is left.

Step 'unmap' -Expect 'no disk is left' {
    [void] (Invoke-Client -Words @('unmap', '--all', '--persistent'))
    Assert (@(Get-Names).Count -eq 0) "these disks are left: $(Get-Names)"
}

Step 'uninstall' -Expect 'driver, service and package are gone' `
    -Rows 'The driver loads, starts and unloads' -VerifierRows 'The driver''s code is gone only after' {
    [void] (Invoke-Client -Words @('uninstall-driver'))
    $gone = { -not (Get-PnpDevice -Class SCSIAdapter -ErrorAction SilentlyContinue | Where-Object HardwareID -contains 'root\wnbd') }
    [void] (Wait-Until $gone 30 'the adapter is still there')
    Assert (-not ((driverquery.exe) -match '^wnbd\s')) 'wnbd.sys is still loaded'
    Assert (-not ((pnputil.exe /enum-drivers) -match 'wnbd\.inf')) 'the driver package is still in the store'
    Assert ($null -eq (Get-Service wnbd-service -ErrorAction SilentlyContinue)) 'the service is still there'
    if ((verifier.exe /querysettings) -match 'wnbd\.sys') {
        verifier.exe /reset | Out-Null
        'Driver Verifier is off after the next restart'
    }
}
