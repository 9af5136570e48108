# SPDX-License-Identifier: LGPL-2.1-or-later
<#
.SYNOPSIS
Checks on a Windows machine what the beds cannot show (docs/verification.md of the package).

.DESCRIPTION
`make dist` packs this folder with diskio.exe as wnbd-VERSION-x64-tests.zip. Unpack it and wnbd-VERSION-x64.zip into one folder of a
test machine, so that wnbd-VERSION-x64-tests and wnbd-VERSION-x64 lie side by side; -Package names the latter when it is elsewhere.
In an elevated PowerShell, in wnbd-VERSION-x64-tests:

    Set-ExecutionPolicy -Scope Process Bypass
    .\run.ps1 -Server 192.0.2.10 -Export scratch -DestroyData

THE EXPORT IS OVERWRITTEN. It has to be writable, of 1 GiB or more, and mapped by nobody else. Each step says what it expects and
then PASS, FAIL or SKIP: SKIP when this machine is not what the row is about. At the end there is a summary, by row of
docs/verification.md, and the same in a file to be sent back.

Some steps ask a person to do something (-Attended). Two need a restart. -Verifier switches Driver Verifier on for wnbd.sys at the end
and asks for one; the same command then takes every step again, under Driver Verifier. -Persistence records a disk and asks for one;
the same command with -AfterRestart then goes on. With both there are two restarts, in this order.

.PARAMETER Server
Name or address of an NBD server.

.PARAMETER Export
Its export, which is overwritten.

.PARAMETER Package
The folder of wnbd-VERSION-x64.zip. That of this script without -tests, if it is not named.

.PARAMETER Only
Names of steps; the others are skipped.

.EXAMPLE
.\run.ps1 -Server nas -Export scratch -DestroyData -Attended -Server6 fd00::10
#>
#Requires -RunAsAdministrator
#Requires -Version 5.1
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Server,
    [Parameter(Mandatory)] [string] $Export,
    [int] $Port = 10809,
    [string] $Server6,
    [string] $Package = ($PSScriptRoot -replace '-tests$', ''),
    [string] $DiskSpd,
    [string[]] $Only,
    [switch] $DestroyData,
    [switch] $Attended,
    [switch] $Verifier,
    [switch] $Persistence,
    [switch] $AfterRestart,
    [string] $Report = (Join-Path $env:TEMP 'wnbd-run.json')
)

Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'

if (-not $DestroyData) {
    throw "The export '$Export' of $Server would be overwritten. Say -DestroyData if it may be."
}

if (-not (Test-Path (Join-Path $Package 'wnbd-client.exe'))) {
    throw "There is no wnbd-client.exe in $Package. Unpack wnbd-VERSION-x64.zip there, or name its folder: -Package."
}

. (Join-Path $PSScriptRoot 'steps\report.ps1')
. (Join-Path $PSScriptRoot 'steps\tools.ps1')

$DiskIo = Join-Path $PSScriptRoot 'diskio.exe'
$DiskName = 'wnbd-run'
$Started = Get-Date
Restore-Results

if (-not $AfterRestart) {
    . (Join-Path $PSScriptRoot 'steps\machine.ps1')
    . (Join-Path $PSScriptRoot 'steps\install.ps1')
    . (Join-Path $PSScriptRoot 'steps\platform.ps1')
    . (Join-Path $PSScriptRoot 'steps\disk.ps1')
    . (Join-Path $PSScriptRoot 'steps\volume.ps1')
    . (Join-Path $PSScriptRoot 'steps\server.ps1')
    . (Join-Path $PSScriptRoot 'steps\served.ps1')
    . (Join-Path $PSScriptRoot 'steps\service.ps1')
}
. (Join-Path $PSScriptRoot 'steps\restart.ps1')
if (-not $RestartIsDue) {
    . (Join-Path $PSScriptRoot 'steps\uninstall.ps1')
}

exit (Write-Summary)
