; SPDX-License-Identifier: LGPL-2.1-or-later
; The installer. packaging/dist gives VERSION (as people read it) and its three NUMBERS, STAGE (the folder with the
; files), OUTPUT and SIGN (a command that signs a file). What it does and with which exit codes it ends:
; docs/packaging.md.

Target amd64-unicode
Unicode true
SetCompressor /SOLID lzma
RequestExecutionLevel admin
ManifestSupportedOS all
ManifestDPIAware true
CRCCheck force

!include LogicLib.nsh
!include WinVer.nsh
!include FileFunc.nsh

!define UNINSTALL_KEY        "Software\Microsoft\Windows\CurrentVersion\Uninstall\WNBD"
!define MINIMUM_BUILD        17763
!define ERROR_ALREADY_EXISTS 183

!include say.nsh
!include driver.nsh
!include files.nsh
!include install.nsh
!include uninstall.nsh

Name "WNBD ${VERSION}"
OutFile "${OUTPUT}"
InstallDir "$PROGRAMFILES64\WNBD"
LicenseData "${STAGE}\LICENSE.txt"
ShowInstDetails show

VIProductVersion "${NUMBERS}.0"
VIAddVersionKey ProductName "WNBD"
VIAddVersionKey ProductVersion "${VERSION}"
VIAddVersionKey FileVersion "${NUMBERS}.0"
VIAddVersionKey FileDescription "WNBD installer"
VIAddVersionKey CompanyName "WNBD"
VIAddVersionKey LegalCopyright "LGPL-2.1-or-later"

Page license
Page directory skip_directory_of_upgrade
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

Function .onInit
    SetRegView 64
    SetShellVarContext all
    InitPluginsDir
    File "/oname=$PLUGINSDIR\wnbd.dll" "${STAGE}\wnbd.dll"
    File "/oname=$PLUGINSDIR\wnbd-client.exe" "${STAGE}\wnbd-client.exe"
    File "/oname=$PLUGINSDIR\wnbd-service.exe" "${STAGE}\wnbd-service.exe" ; which the client looks for beside it
    File "/oname=$PLUGINSDIR\wnbd-path.exe" "${STAGE}\wnbd-path.exe"
    StrCpy $programs "$PLUGINSDIR"
    Call refuse_second_installer
    Call refuse_old_windows
    Call find_installation
    Call find_driver
    Call refuse_foreign_driver
FunctionEnd

Function skip_directory_of_upgrade
    ${If} $is_upgrade = 1
        Abort
    ${EndIf}
FunctionEnd

Section
    Call find_driver
    Call refuse_foreign_driver
    Call refuse_files_of_others
    ${If} $provider != ""
        Call refuse_disks
    ${EndIf}
    Call refuse_open_files
    Call unpack
    Call remove_driver
    ; What is half when the machine stops can be repaired.
    WriteRegStr HKLM "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
    Call exchange_files
    Call install_driver
    !insertmacro for_each_file delete_previous
    Call discard_new
    Call register
    !insertmacro say "" "WNBD ${VERSION} is installed in '$INSTDIR'."
    ${If} ${RebootFlag}
        !insertmacro say "" "Windows must be restarted to finish this."
        SetErrorLevel ${SUCCESS_REBOOT_REQUIRED}
    ${EndIf}
SectionEnd

; Ceph's packages, and the original WNBD, bring files of these names.
!macro say_what_hides name
    nsExec::ExecToStack '"$PLUGINSDIR\wnbd-path.exe" hides "$INSTDIR" "${name}"'
    Pop $code
    Pop $output
    Call trim_output
    ${If} $output != ""
        !insertmacro say "" "'$output' comes first in the search path: who types or loads '${name}' gets that one."
    ${EndIf}
!macroend

Function register
    WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayName" "WNBD"
    WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
    WriteRegStr HKLM "${UNINSTALL_KEY}" "Publisher" "WNBD"
    WriteRegStr HKLM "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\uninstall.exe"
    WriteRegStr HKLM "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
    WriteRegStr HKLM "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
    WriteRegDWORD HKLM "${UNINSTALL_KEY}" "NoModify" 1
    ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
    WriteRegDWORD HKLM "${UNINSTALL_KEY}" "EstimatedSize" $0
    nsExec::Exec '"$PLUGINSDIR\wnbd-path.exe" add "$INSTDIR"'
    Pop $0
    ${If} $0 <> 0
        !insertmacro say "" "The search path could not be changed: '$INSTDIR' is not in it."
    ${EndIf}
    !insertmacro say_what_hides "wnbd-client.exe"
    !insertmacro say_what_hides "wnbd.dll"
    !insertmacro say_what_hides "libwnbd.dll"
FunctionEnd
