; SPDX-License-Identifier: LGPL-2.1-or-later
; Takes everything away: driver, its options and its event source, service, records of disks, programs, search path.

!uninstfinalize `${SIGN} "%1"`

Function un.onInit
    SetRegView 64
    SetShellVarContext all
    InitPluginsDir
    File "/oname=$PLUGINSDIR\wnbd-path.exe" "${STAGE}\wnbd-path.exe"
    StrCpy $client "$INSTDIR\wnbd-client.exe"
FunctionEnd

; A driver of somebody else, installed after ours, is left alone, and so are the disks.
Function un.remove_driver
    Call un.find_driver
    ${If} $provider == "${PROVIDER}"
        Call un.refuse_disks
    ${ElseIf} $provider != ""
        nsExec::Exec '"$INSTDIR\wnbd-service.exe" uninstall'
        Pop $0
        Return
    ${EndIf}
    !insertmacro ask "un." "uninstall-driver"
    ${If} $code <> 0
        Call un.release_mappings
        StrCpy $message "The driver cannot be removed, so everything else stays: $output"
        Call un.stop
    ${EndIf}
    Call un.delete_driver_service
FunctionEnd

Section Uninstall
    Call un.remove_driver
    nsExec::Exec '"$PLUGINSDIR\wnbd-path.exe" remove "$INSTDIR"'
    Pop $0
    !insertmacro for_each_file delete_file
    SetOutPath "$TEMP"
    RMDir "$INSTDIR\driver"
    ${If} ${RebootFlag}
        RMDir /REBOOTOK "$INSTDIR"
    ${Else}
        RMDir "$INSTDIR"
    ${EndIf}
    DeleteRegKey HKLM "Software\WNBD"
    DeleteRegKey HKLM "${UNINSTALL_KEY}"
    !insertmacro say "un." "WNBD is removed."
    ${If} ${RebootFlag}
        !insertmacro say "un." "Windows must be restarted to finish this."
        SetErrorLevel ${SUCCESS_REBOOT_REQUIRED}
    ${EndIf}
SectionEnd
