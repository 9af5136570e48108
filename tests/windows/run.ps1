# SPDX-License-Identifier: LGPL-2.1-or-later
<#
.SYNOPSIS
Checks on a Windows machine what the beds cannot show (docs/verification.md).

.DESCRIPTION
Copy this folder to a test machine, with the package beside it or named by -Package: wnbd.inf, wnbd.sys, wnbd.cat, wnbd.dll,
wnbd-client.exe, wnbd-service.exe and diskio.exe (build/windows-x64/tests/windows). Start it in an elevated PowerShell:

    .\run.ps1 -Server 192.0.2.10 -Export scratch -DestroyData

THE EXPORT IS OVERWRITTEN. It has to be writable, of 1 GiB or more, and mapped by nobody else. Each step says what it expects and
then PASS, FAIL or SKIP; at the end there is a summary, by row of docs/verification.md, and the same in a file to be sent back.

Some steps ask a person to do something (-Attended). Two need a restart: -Verifier switches Driver Verifier on for wnbd.sys and
asks for one, and -Persistence records a disk and asks for one; afterwards the same command with -AfterRestart goes on.

.PARAMETER Server
Name or address of an NBD server.

.PARAMETER Export
Its export, which is overwritten.

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
    [string] $Package = $PSScriptRoot,
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

. (Join-Path $PSScriptRoot 'steps\report.ps1')
. (Join-Path $PSScriptRoot 'steps\tools.ps1')

$DiskName = 'wnbd-run'
$Started = Get-Date
Restore-Results

if (-not $AfterRestart) {
    . (Join-Path $PSScriptRoot 'steps\install.ps1')
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
