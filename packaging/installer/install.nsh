; SPDX-License-Identifier: LGPL-2.1-or-later
; Installing, repairing and upgrading are one thing: look, remove the driver that is there, exchange the files, install
; the driver. What fails is undone.

Var is_upgrade ; 1: $INSTDIR has an installation of ours, of whatever version
Var had_driver ; 1: and it was in use

!macro stage name
    !if "${name}" == "uninstall.exe"
        WriteUninstaller "$INSTDIR\new\${name}"
    !else
        File "/oname=$INSTDIR\new\${name}" "${STAGE}\${name}"
    !endif
!macroend

Function find_installation
    ReadRegStr $0 HKLM "${UNINSTALL_KEY}" "InstallLocation"
    StrCpy $is_upgrade 0
    ${If} $0 != ""
        StrCpy $is_upgrade 1
        StrCpy $INSTDIR $0 ; it stays where it is
    ${EndIf}
FunctionEnd

Function refuse_old_windows
    ${IfNot} ${AtLeastBuild} ${MINIMUM_BUILD}
        !insertmacro stop "" ${OLD_WIN_VERSION} "WNBD needs 64-bit Windows 10 1809, Server 2019 or later."
    ${EndIf}
FunctionEnd

; Two at a time would undo each other. The handle goes with the process.
Function refuse_second_installer
    System::Call 'kernel32::CreateMutexW(p 0, i 0, w "Global\WnbdSetup") p .r1 ?e'
    Pop $0
    ${If} $0 = ${ERROR_ALREADY_EXISTS}
        !insertmacro stop "" ${INSTALL_ALREADY_RUNNING} "WNBD is being installed already."
    ${EndIf}
FunctionEnd

; Its owner knows how to take it away, and puts it back if that is not what was wanted.
Function refuse_foreign_driver
    ${If} $provider == ""
        Return
    ${EndIf}
    ${If} $provider != "${PROVIDER}"
        !insertmacro stop "" ${PRODUCT_VERSION} "The WNBD driver of '$provider' ($version) is installed, with the same \
            device and the same names as this one. Nothing was changed: its disks go on. Unmap them, uninstall it \
            (Settings, Apps; or its own 'wnbd-client uninstall-driver'), and start this again. If that was done already, \
            restart Windows first."
    ${EndIf}
    ${If} $is_upgrade = 0
        !insertmacro stop "" ${PRODUCT_VERSION} "A WNBD driver ($version) is installed that did not come with this \
            installer. Nothing was changed. Unmap its disks, run 'wnbd-client uninstall-driver', and start this again. \
            If that was done already, restart Windows first."
    ${EndIf}
FunctionEnd

Function refuse_open_files
    StrCpy $has 0
    !insertmacro for_each_file find_previous
    ${If} $has = 1
        StrCpy $code ${WRITE_FAULT}
        StrCpy $message "A program still uses files of the version before the one that is installed. Nothing was \
            changed. Restart Windows, and start this again."
        Call stop_and_release
    ${EndIf}
FunctionEnd

; A first installation replaces nothing.
Function refuse_files_of_others
    ${If} $is_upgrade = 1
        Return
    ${EndIf}
    StrCpy $0 ""
    !insertmacro for_each_file find_taken
    ${If} $0 != ""
        !insertmacro stop "" ${FILE_EXISTS} "'$INSTDIR' has a '$0' that did not come with this installer. Nothing was \
            changed. Choose another folder (/D=FOLDER), or take the files that are in it away. If WNBD was removed since \
            Windows was started, restart it first."
    ${EndIf}
FunctionEnd

; Everything is written before anything is changed.
Function unpack
    ClearErrors
    SetOutPath "$INSTDIR\new\driver"
    !insertmacro for_each_file stage
    SetOutPath "$TEMP" ; no folder that is removed later
    ${If} ${Errors}
        Call discard_new
        StrCpy $code ${WRITE_FAULT}
        StrCpy $message "The files cannot be written to '$INSTDIR'. Nothing was changed."
        Call stop_and_release
    ${EndIf}
FunctionEnd

Function discard_new
    !insertmacro for_each_file delete_new
    RMDir "$INSTDIR\new\driver"
    RMDir "$INSTDIR\new"
    RMDir "$INSTDIR\driver" ; when it is empty
    RMDir "$INSTDIR"
FunctionEnd

; The service stays, where there was one: after it was removed it cannot be made again while a program shows it.
Function take_driver_away
    StrCpy $programs "$PLUGINSDIR"
    ${If} $had_driver = 1
        !insertmacro ask "" "uninstall-driver --keep-service"
    ${Else}
        !insertmacro ask "" "uninstall-driver"
    ${EndIf}
FunctionEnd

; Services that depend on it may keep it.
Function stop_service
    !insertmacro ask_service "" "stop"
    ${If} $code <> 0
        Call discard_new
        StrCpy $message "The service cannot be stopped, so nothing was changed: $output"
        Call stop_and_release
    ${EndIf}
FunctionEnd

; Where nothing of ours is installed nothing is taken away.
Function remove_driver
    StrCpy $had_driver 0
    ${If} $is_upgrade = 0
        Return
    ${EndIf}
    ${If} $provider != ""
        StrCpy $had_driver 1
    ${EndIf}
    Call stop_service
    Call take_driver_away
    ${If} $code <> 0
        StrCpy $message "The driver that is installed cannot be removed: $output"
        Call undo_files
    ${EndIf}
    ${If} ${RebootFlag}
        Call discard_new
        !insertmacro stop "" ${INSTALL_SUSPENDED} "A program has the driver in use, and Windows removes it with the next \
            start. Restart Windows, and start this again: until then there is no driver, and no file has changed."
    ${EndIf}
FunctionEnd

; Puts the driver back whose files are in $INSTDIR. $code: 0, unless it is not there again.
Function restore_driver
    StrCpy $code 0
    ${If} $had_driver = 1
        StrCpy $programs "$INSTDIR"
        !insertmacro ask "" 'install-driver "$INSTDIR\driver\wnbd.inf"'
    ${EndIf}
FunctionEnd

; Ends with $message and $code, when the driver of the new files is not in use.
Function undo_files
    Push $code
    Push $message
    !insertmacro for_each_file put_previous_back
    StrCpy $has 0
    !insertmacro for_each_file find_not_back
    ${If} $has = 1
        StrCpy $code ${WRITE_FAULT}
        StrCpy $output "a program has a file in '$INSTDIR' open. Restart Windows, and start this again."
    ${Else}
        Call discard_new
        Call restore_driver
    ${EndIf}
    Pop $message
    ${If} $is_upgrade = 0
        Call delete_driver_service
        DeleteRegKey HKLM "${UNINSTALL_KEY}"
        StrCpy $message "$message Nothing is left of this installation."
    ${ElseIf} $code <> 0
        StrCpy $message "$message The previous version could not be put back: $output"
    ${ElseIf} $had_driver = 0
        StrCpy $message "$message The previous files are there again; there was no driver."
    ${Else}
        StrCpy $message "$message The previous version is there again."
    ${EndIf}
    Pop $code
    Call stop_and_release
FunctionEnd

; The same when it may be.
Function undo
    Push $code
    Call take_driver_away
    Pop $code
    Call undo_files
FunctionEnd

Function exchange_files
    CreateDirectory "$INSTDIR\driver"
    ClearErrors
    !insertmacro for_each_file keep_previous
    !insertmacro for_each_file put_new
    ${If} ${Errors}
        StrCpy $code ${WRITE_FAULT}
        StrCpy $message "A file in '$INSTDIR' cannot be replaced."
        Call undo
    ${EndIf}
FunctionEnd

Function install_driver
    StrCpy $programs "$INSTDIR"
    !insertmacro ask "" 'install-driver "$INSTDIR\driver\wnbd.inf"'
    ${If} $code <> 0
        StrCpy $message "The driver cannot be installed: $output"
        Call undo
    ${EndIf}
FunctionEnd
