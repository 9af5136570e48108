# SPDX-License-Identifier: LGPL-2.1-or-later
# Steps and what came of them. Results are kept in a file, so that a run goes on after a restart.

$Results = [System.Collections.ArrayList]::new()
$RestartIsDue = $false

function Restore-Results {
    if ($AfterRestart -and (Test-Path $Report)) {
        $kept = Get-Content -Raw $Report | ConvertFrom-Json # in a variable: 5.1 gives an array as one object
        foreach ($result in $kept) {
            [void] $Results.Add($result)
        }
    }
}

function Save-Results {
    ConvertTo-Json -Depth 4 @($Results) | Set-Content -Encoding utf8 $Report
}

function Add-Result([string] $name, [string[]] $rows, [string] $outcome, [string] $detail, $verified = $false) {
    $colour = @{ PASS = 'Green'; FAIL = 'Red'; SKIP = 'Yellow' }[$outcome]
    Write-Host "    $outcome  $detail" -ForegroundColor $colour
    [void] $Results.Add([pscustomobject] @{
            Step = $name; Rows = $rows; Outcome = $outcome; Detail = $detail; Verified = $verified })
    Save-Results
}

# Does Driver Verifier check the driver that is loaded?
function Test-Verifier {
    return [bool] ((verifier.exe /query) -match 'wnbd\.sys')
}

# PASS, FAIL or SKIP, and why.
function Get-Outcome([scriptblock] $body) {
    try {
        $detail = (& $body | Out-String).Trim()
        return 'PASS', $detail
    } catch [OperationCanceledException] {
        return 'SKIP', $_.Exception.Message
    } catch {
        return 'FAIL', "$($_.Exception.Message) (line $($_.InvocationInfo.ScriptLineNumber))"
    }
}

<#
One step. -Rows: how rows of docs/verification.md begin. -VerifierRows: those that it shows under Driver Verifier only; without it
they are skipped when the step passes. -Expect: what should be seen, for the person. The body throws when it is not so; what it
returns is shown. It calls Skip when this machine is not what its rows are about. Steps go on after one that failed: what needs a
disk maps it itself.
#>
function Step {
    param(
        [Parameter(Position = 0)] [string] $Name,
        [Parameter(Position = 1)] [scriptblock] $Body,
        [string[]] $Rows = @(),
        [string[]] $VerifierRows = @(),
        [string] $Expect)

    if ($Only -and $Only -notcontains $Name) {
        return
    }
    Write-Host "`n$Name" -ForegroundColor Cyan
    Write-Host "    expected: $Expect"
    $verified = Test-Verifier # before, too: the body may unload the driver
    $outcome, $detail = Get-Outcome $Body
    $verified = $verified -or (Test-Verifier)
    if ($outcome -eq 'PASS' -and $VerifierRows -and -not $verified) {
        Add-Result $Name $Rows $outcome $detail
        Add-Result "$Name under Driver Verifier" $VerifierRows 'SKIP' 'Driver Verifier does not check wnbd.sys (-Verifier)'
    } else {
        Add-Result $Name ($Rows + $VerifierRows) $outcome $detail $verified
    }
}

function Skip([string] $why) {
    throw [OperationCanceledException]::new($why)
}

# Anything: a parameter that is a [bool] would take neither what -match finds among lines nor $null.
function Assert($condition, [string] $otherwise) {
    if (-not $condition) {
        throw $otherwise
    }
}

# The first line of a step that asks a person later, when a skip would leave a load or a disk behind.
function Skip-Unattended {
    if (-not $Attended) {
        Skip 'needs a person (-Attended)'
    }
}

# Asks the person at the machine to do something; without -Attended the step is skipped.
function Request-Person([string] $what) {
    if (-not $Attended) {
        Skip "needs a person (-Attended): $what"
    }
    [void] (Read-Host "    >>> $what; then press Enter")
}

function Confirm-Person([string] $question) {
    if (-not $Attended) {
        Skip "needs a person (-Attended): $question"
    }
    Assert ((Read-Host "    >>> $question [y/n]") -match '^y') "the answer to '$question' was no"
}

function Write-Summary {
    $failed = @($Results | Where-Object Outcome -eq 'FAIL')
    $passed = @($Results | Where-Object Outcome -eq 'PASS')
    $skipped = @($Results | Where-Object Outcome -eq 'SKIP')

    Write-Host "`nBy row of docs/verification.md; one that says more than PASS was not seen whole:"
    foreach ($row in $Results | ForEach-Object { $_.Rows } | Sort-Object -Unique) {
        $outcomes = $Results | Where-Object { $_.Rows -contains $row } | ForEach-Object { $_.Outcome } | Sort-Object -Unique
        Write-Host ("    {0,-16} {1}" -f ($outcomes -join ','), $row)
    }
    foreach ($result in $failed) {
        Write-Host "    FAIL  $($result.Step): $($result.Detail)" -ForegroundColor Red
    }
    $windows = [Environment]::OSVersion.Version
    Write-Host "`nWindows $windows, $env:PROCESSOR_ARCHITECTURE; everything is in $Report"
    Write-Host "$($passed.Count) passed, $($failed.Count) failed, $($skipped.Count) skipped"
    if ($RestartIsDue) {
        Write-Host 'This is not the end: restart the machine and go on as the step said.' -ForegroundColor Yellow
    }
    if ($Only) {
        Write-Host 'Rows have more steps than -Only names.' -ForegroundColor Yellow
    }
    return [int] ($failed.Count -ne 0)
}
