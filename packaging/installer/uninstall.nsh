; SPDX-License-Identifier: LGPL-2.1-or-later
; Takes everything away: driver, its options and its event source, service, records of disks, programs, search path.

!uninstfinalize `${SIGN} "%1"`

Function un.onInit
    SetRegView 64
    SetShellVarContext all
    InitPluginsDir
    File "/oname=$PLUGINSDIR\wnbd-path.exe" "${STAGE}\wnbd-path.exe"
    StrCpy $programs "$INSTDIR"
FunctionEnd

; A driver of somebody else, installed after ours, is left alone, and so are the disks.
Function un.remove_driver
    Call un.find_driver
    ${If} $provider == "${PROVIDER}"
        Call un.refuse_disks
    ${EndIf}
    !insertmacro ask_service "un." "stop"
    ${If} $code <> 0
        StrCpy $message "The service cannot be stopped, so nothing was removed: $output"
        Call un.stop_and_release
    ${EndIf}
    ${If} $provider != ""
    ${AndIf} $provider != "${PROVIDER}"
        !insertmacro ask_service "un." "uninstall"
        Return
    ${EndIf}
    !insertmacro ask "un." "uninstall-driver"
    ${If} $code <> 0
        StrCpy $message "The driver cannot be removed, so the programs stay: $output"
        Call un.stop_and_release
    ${EndIf}
    Call un.delete_driver_service
FunctionEnd

Section Uninstall
    Call un.remove_driver
    nsExec::Exec '"$PLUGINSDIR\wnbd-path.exe" remove "$INSTDIR"'
    Pop $0
    !insertmacro for_each_file delete_file
    SetOutPath "$TEMP"
    ${If} ${RebootFlag}
        RMDir /REBOOTOK "$INSTDIR\driver"
        RMDir /REBOOTOK "$INSTDIR"
    ${Else}
        RMDir "$INSTDIR\driver"
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
