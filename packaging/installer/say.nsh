; SPDX-License-Identifier: LGPL-2.1-or-later
; What the person or the script that runs this is told. An uninstaller has functions of its own, so each is a macro of
; `un`.

Var message
Var code ; what a failure ends with, a Win32 error

!define SUCCESS_REBOOT_REQUIRED 3010
!define DEVICE_IN_USE           2404
!define FILE_EXISTS             80
!define INSTALL_SUSPENDED       1604
!define PRODUCT_VERSION         1638
!define OLD_WIN_VERSION         1150
!define ACCESS_DENIED           5
!define WRITE_FAULT             29
!define INSTALL_ALREADY_RUNNING 1618

!define STANDARD_OUTPUT -11
!define PARENT_CONSOLE  -1

!macro say_functions un
    ; Silent: on standard output, or the console that it was started from. A program without a console has a handle only
    ; if somebody has given it one.
    Function ${un}print
        Push $0
        System::Call 'kernel32::GetStdHandle(i ${STANDARD_OUTPUT}) p .r0'
        ${If} $0 = 0
            System::Call 'kernel32::AttachConsole(i ${PARENT_CONSOLE})'
            System::Call 'kernel32::GetStdHandle(i ${STANDARD_OUTPUT}) p .r0'
        ${EndIf}
        ${If} $0 != 0
        ${AndIf} $0 != -1
            FileWrite $0 "$message$\r$\n"
        ${EndIf}
        Pop $0
    FunctionEnd

    Function ${un}say
        DetailPrint "$message"
        ${If} ${Silent}
            Call ${un}print
        ${EndIf}
    FunctionEnd

    ; Ends with $message and $code.
    Function ${un}stop
        Call ${un}say
        ${IfNot} ${Silent}
            MessageBox MB_OK|MB_ICONSTOP "$message"
        ${EndIf}
        SetErrorLevel $code
        Quit
    FunctionEnd
!macroend

!insertmacro say_functions ""
!insertmacro say_functions "un."

!macro say un text
    StrCpy $message "${text}"
    Call ${un}say
!macroend

!macro stop un number text
    StrCpy $code ${number}
    StrCpy $message "${text}"
    Call ${un}stop
!macroend
