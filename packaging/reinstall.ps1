# SPDX-License-Identifier: LGPL-2.1-or-later
<#
.SYNOPSIS
Removes the WNBD driver that is installed and installs the one in this folder.

.DESCRIPTION
For the folder of a package: wnbd.inf, wnbd.sys, wnbd.cat, wnbd.dll, wnbd-client.exe, wnbd-service.exe. Needs no devcon.
Says what it removes and what it installs. Mapped disks are a reason to stop, and so is a driver that is there and does
not list them; with -Force disks are removed, and what programs have not written yet is lost.

.PARAMETER Force
Does not ask: the disks that are mapped are removed.
#>
#Requires -RunAsAdministrator
[CmdletBinding()]
param([switch] $Force)

$ErrorActionPreference = 'Stop'
$client = Join-Path $PSScriptRoot 'wnbd-client.exe'

function Invoke-Client {
    & $client @args
    if ($LASTEXITCODE -ne 0) {
        throw "wnbd-client $args ended with $LASTEXITCODE."
    }
}

foreach ($name in 'wnbd.inf', 'wnbd.sys', 'wnbd.cat') {
    if (-not (Test-Path (Join-Path $PSScriptRoot $name))) {
        throw "There is no $name in $PSScriptRoot. Nothing has been changed."
    }
}
# Only the driver knows its disks, and it can have some while its adapter does not open. There are none when it lists none,
# or when there is no adapter.
if (-not $Force) {
    $disks = & $client list --format json
    $code = $LASTEXITCODE
    if ($code -eq 0) {
        $names = ($disks -join "`n" | ConvertFrom-Json) | ForEach-Object { $_.name }
        if ($names) {
            throw "Disks are mapped: $($names -join ', '). Unmap them, or say -Force."
        }
    } elseif (Get-PnpDevice -PresentOnly | Where-Object HardwareID -contains 'root\wnbd') {
        throw "The WNBD driver does not say whether disks are mapped (wnbd-client list ended with $code), so nothing has been changed: restart Windows and try again, or say -Force."
    }
}
Write-Host 'What is removed:'
& $client version
Invoke-Client uninstall-driver --keep-service # which install-driver points to this folder
try {
    Invoke-Client install-driver (Join-Path $PSScriptRoot 'wnbd.inf')
} catch {
    throw "$_ The driver that was there has been removed, and none is installed now."
}
Write-Host 'What is installed:'
Invoke-Client version
