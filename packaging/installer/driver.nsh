; SPDX-License-Identifier: LGPL-2.1-or-later
; The driver that is on the machine, and its disks.

!define ROOT_DEVICES "SYSTEM\CurrentControlSet\Enum\ROOT\SCSIADAPTER"
!define DRIVERS      "SYSTEM\CurrentControlSet\Control\Class"
!define PROVIDER     "WNBD" ; as in wnbd.inf

Var programs ; the folder with the wnbd-client.exe and the wnbd-service.exe that are asked
Var provider ; of the driver; "" without one
Var version  ; of the driver
Var output   ; what the program that was asked has said
Var is_held  ; 1: new mappings are not allowed just now, and were

Var has      ; 1: output_has has found it

!macro ask un words
    Push `"$programs\wnbd-client.exe" ${words}`
    Call ${un}ask
!macroend

!macro ask_service un words
    StrCpy $code 0
    ${If} ${FileExists} "$programs\wnbd-service.exe"
        Push `"$programs\wnbd-service.exe" ${words}`
        Call ${un}ask
    ${EndIf}
!macroend

!macro output_has un word
    Push "${word}"
    Call ${un}find_in_output
!macroend

!macro driver_functions un
    ; The original WNBD has a root device and a service of the same names.
    Function ${un}find_driver
        Push $0
        Push $1
        Push $2
        StrCpy $provider ""
        StrCpy $0 0
        ${Do}
            EnumRegKey $1 HKLM "${ROOT_DEVICES}" $0
            IntOp $0 $0 + 1
            ReadRegStr $2 HKLM "${ROOT_DEVICES}\$1" "Service"
            ${If} $1 != ""
            ${AndIf} $2 == "wnbd"
                ReadRegStr $2 HKLM "${ROOT_DEVICES}\$1" "Driver"
                ReadRegStr $version HKLM "${DRIVERS}\$2" "DriverVersion"
                ReadRegStr $provider HKLM "${DRIVERS}\$2" "ProviderName"
                ${If} $provider == ""
                    StrCpy $provider "unknown"
                ${EndIf}
            ${EndIf}
        ${LoopUntil} $1 == ""
        Pop $2
        Pop $1
        Pop $0
    FunctionEnd

    ; Runs the command line on the stack: exit code in $code, what it says in $output. A restart that it wants is noted.
    Function ${un}ask
        Exch $0
        nsExec::ExecToStack "$0"
        Pop $code
        Pop $output
        ${If} $code == "error"
            StrCpy $code ${WRITE_FAULT}
            StrCpy $output "$0 cannot be started.$\r$\n"
        ${EndIf}
        Call ${un}trim_output
        !insertmacro output_has "${un}" "must be restarted"
        ${If} $has = 1
            SetRebootFlag true
        ${EndIf}
        Pop $0
    FunctionEnd

    ; Takes the end of the last line away, so that the text can stand in a sentence.
    Function ${un}trim_output
        Push $0
        ${Do}
            StrCpy $0 $output 1 -1
            ${If} $0 != "$\r"
            ${AndIf} $0 != "$\n"
                ${Break}
            ${EndIf}
            StrCpy $output $output -1
        ${Loop}
        Pop $0
    FunctionEnd

    ; $has = 1: the word on the stack is in $output.
    Function ${un}find_in_output
        Exch $0
        Push $1
        Push $2
        Push $3
        StrCpy $has 0
        StrLen $1 $0
        StrCpy $2 0
        ${Do}
            StrCpy $3 $output $1 $2
            IntOp $2 $2 + 1
            ${If} $3 == $0
                StrCpy $has 1
            ${EndIf}
        ${LoopUntil} $3 == ""
        Pop $3
        Pop $2
        Pop $1
        Pop $0
    FunctionEnd

    ; Plug and Play leaves it, and with it the options; and the event source.
    Function ${un}delete_driver_service
        nsExec::Exec 'sc.exe delete wnbd'
        Pop $0
        DeleteRegKey HKLM "SYSTEM\CurrentControlSet\Services\EventLog\System\wnbd"
    FunctionEnd

    ; No disk may come between the question and the removal of the driver.
    Function ${un}hold_mappings
        StrCpy $is_held 0
        !insertmacro ask "${un}" "get-opt NewMappingsAllowed"
        !insertmacro output_has "${un}" "Value: true"
        ${If} $has = 1
            !insertmacro ask "${un}" "set-opt NewMappingsAllowed false"
            StrCpy $is_held 1
        ${EndIf}
    FunctionEnd

    Function ${un}release_mappings
        ${If} $is_held = 1
            !insertmacro ask "${un}" "set-opt NewMappingsAllowed true"
        ${EndIf}
        StrCpy $is_held 0
    FunctionEnd

    ; Ends with $message and $code.
    Function ${un}stop_and_release
        Push $code
        Push $message
        Call ${un}release_mappings
        Pop $message
        Pop $code
        Call ${un}stop
    FunctionEnd

    ; Ends when disks are mapped, or when that cannot be known: new ones are not allowed from here on.
    Function ${un}refuse_disks
        Call ${un}hold_mappings
        !insertmacro ask "${un}" "list --format json"
        !insertmacro output_has "${un}" "["
        ${If} $code <> 0
        ${OrIf} $has = 0
            StrCpy $message "The WNBD driver does not say whether disks are mapped, so nothing was changed. Restart \
                Windows and try again. 'wnbd-client list' ended with $code and said: $output"
            StrCpy $code ${DEVICE_IN_USE}
            Call ${un}stop_and_release
        ${EndIf}
        !insertmacro output_has "${un}" "{"
        ${If} $has = 1
            StrCpy $code ${DEVICE_IN_USE}
            StrCpy $message "WNBD disks are mapped, so nothing was changed. 'wnbd-client list' names them; 'net stop \
                wnbd-service' unmaps the recorded ones, 'wnbd-client unmap --all' all."
            Call ${un}stop_and_release
        ${EndIf}
    FunctionEnd
!macroend

!insertmacro driver_functions ""
!insertmacro driver_functions "un."
