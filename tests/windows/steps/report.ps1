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

function Add-Result([string] $name, [string[]] $rows, [string] $outcome, [string] $detail) {
    $colour = @{ PASS = 'Green'; FAIL = 'Red'; SKIP = 'Yellow' }[$outcome]
    Write-Host "    $outcome  $detail" -ForegroundColor $colour
    [void] $Results.Add([pscustomobject] @{ Step = $name; Rows = $rows; Outcome = $outcome; Detail = $detail })
    Save-Results
}

<#
One step. -Rows: how rows of docs/verification.md begin. -Expect: what should be seen, for the person. The body throws when it is
not so; what it returns is shown. Steps go on after one that failed: what needs a disk maps it itself.
#>
function Step {
    param(
        [Parameter(Position = 0)] [string] $Name,
        [Parameter(Position = 1)] [scriptblock] $Body,
        [string[]] $Rows = @(),
        [string] $Expect)

    if ($Only -and $Only -notcontains $Name) {
        return
    }
    Write-Host "`n$Name" -ForegroundColor Cyan
    Write-Host "    expected: $Expect"
    try {
        $detail = (& $Body | Out-String).Trim()
        Add-Result $Name $Rows 'PASS' $detail
    } catch [OperationCanceledException] {
        Add-Result $Name $Rows 'SKIP' $_.Exception.Message
    } catch {
        Add-Result $Name $Rows 'FAIL' "$($_.Exception.Message) (line $($_.InvocationInfo.ScriptLineNumber))"
    }
}

function Skip([string] $why) {
    throw [OperationCanceledException]::new($why)
}

function Assert([bool] $condition, [string] $otherwise) {
    if (-not $condition) {
        throw $otherwise
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

    Write-Host "`nBy row of docs/verification.md:"
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
    return [int] ($failed.Count -ne 0)
}
