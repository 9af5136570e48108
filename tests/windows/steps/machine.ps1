# SPDX-License-Identifier: LGPL-2.1-or-later
# What machine this is, and what package.

# The machine's own architecture: a PowerShell for x64 on Windows on ARM64 has AMD64 in its environment.
function Get-Architecture {
    return [Environment]::GetEnvironmentVariable('PROCESSOR_ARCHITECTURE', 'Machine')
}

function Test-SecureBoot {
    try {
        return [bool] (Confirm-SecureBootUEFI)
    } catch {
        return $false # a BIOS
    }
}

# HVCI is number 2 of the services of virtualization-based security.
function Test-MemoryIntegrity {
    try {
        $guard = Get-CimInstance -Namespace root\Microsoft\Windows\DeviceGuard -ClassName Win32_DeviceGuard
        return $guard.SecurityServicesRunning -contains 2
    } catch {
        return $false
    }
}

function Test-TestSigning {
    return [bool] ((bcdedit.exe /enum '{current}') -match 'testsigning\s+Yes')
}

# What an image is for, as its PE header says: IMAGE_FILE_MACHINE_ARM64 is 0xAA64.
function Get-ImageMachine([string] $file) {
    $bytes = [IO.File]::ReadAllBytes($file)
    return [BitConverter]::ToUInt16($bytes, [BitConverter]::ToInt32($bytes, 0x3c) + 4)
}

Step 'machine' -Expect 'Windows 10.0.17763 or later, 64 bits' {
    $build = [Environment]::OSVersion.Version.Build
    Assert ($build -ge 17763) "build $build is older than 17763"
    Assert ([Environment]::Is64BitOperatingSystem) 'this is a 32-bit Windows'
    "build $build, $(Get-Architecture), test signing $(Test-TestSigning), Secure Boot $(Test-SecureBoot), HVCI $(Test-MemoryIntegrity)"
}

Step 'package' -Expect 'every file is there; wnbd.sys and wnbd.cat have a signature that Windows accepts' `
    -Rows 'Windows takes the catalog' {
    foreach ($name in 'wnbd.inf', 'wnbd.sys', 'wnbd.cat', 'wnbd.man', 'wnbd.dll', 'wnbd-client.exe', 'wnbd-service.exe') {
        Assert (Test-Path (Join-Path $Package $name)) "$name is not in $Package"
    }
    Assert (Test-Path $DiskIo) "$DiskIo is not there"
    foreach ($name in 'wnbd.sys', 'wnbd.cat') {
        $signature = Get-AuthenticodeSignature (Join-Path $Package $name)
        Assert ($signature.Status -eq 'Valid') "$name`: $($signature.Status), $($signature.StatusMessage)"
        "$name`: $($signature.SignerCertificate.Subject)"
    }
}
