; SPDX-License-Identifier: LGPL-2.1-or-later
; What is installed, once: `for_each_file DO` puts `!insertmacro DO "name"` for each file, below $INSTDIR.

!macro for_each_file do
    !insertmacro ${do} "driver\wnbd.inf"
    !insertmacro ${do} "driver\wnbd.sys"
    !insertmacro ${do} "driver\wnbd.cat"
    !insertmacro ${do} "driver\wnbd.man"
    !insertmacro ${do} "wnbd.dll"
    !insertmacro ${do} "libwnbd.dll"
    !insertmacro ${do} "wnbd-client.exe"
    !insertmacro ${do} "wnbd-service.exe"
    !insertmacro ${do} "LICENSE.txt"
    !insertmacro ${do} "uninstall.exe"
!macroend

; $0: one of the names that we use and that is taken.
!macro find_taken name
    ${If} ${FileExists} "$INSTDIR\${name}"
        StrCpy $0 "${name}"
    ${ElseIf} ${FileExists} "$INSTDIR\${name}.previous"
        StrCpy $0 "${name}.previous"
    ${ElseIf} ${FileExists} "$INSTDIR\new\${name}"
        StrCpy $0 "new\${name}"
    ${EndIf}
!macroend

; Afterwards the name is free. The file of a program that runs cannot be deleted, but renamed: it goes with the next start of
; the machine, by a name that nobody uses.
!macro free_name path
    Delete "${path}"
    ${If} ${FileExists} "${path}"
        GetTempFileName $0 "$INSTDIR"
        Delete $0
        Rename "${path}" $0
        Delete /REBOOTOK $0
    ${EndIf}
!macroend

; $has = 1: files of an installation before the last are still there, because a program has them open.
!macro find_previous name
    Delete "$INSTDIR\${name}.previous"
    ${If} ${FileExists} "$INSTDIR\${name}.previous"
        StrCpy $has 1
    ${EndIf}
!macroend

; Each step moves a file to its place or leaves it where it was, so that put_previous_back knows how far it came.

!macro keep_previous name
    ${If} ${FileExists} "$INSTDIR\${name}"
        Rename "$INSTDIR\${name}" "$INSTDIR\${name}.previous"
    ${EndIf}
!macroend

!macro put_new name
    Rename "$INSTDIR\new\${name}" "$INSTDIR\${name}"
!macroend

!macro put_previous_back name
    ${IfNot} ${FileExists} "$INSTDIR\new\${name}"
        !insertmacro free_name "$INSTDIR\${name}"
    ${EndIf}
    ${If} ${FileExists} "$INSTDIR\${name}.previous"
        Rename "$INSTDIR\${name}.previous" "$INSTDIR\${name}"
    ${EndIf}
!macroend

; $has = 1: a file could not be put back.
!macro find_not_back name
    ${If} ${FileExists} "$INSTDIR\${name}.previous"
        StrCpy $has 1
    ${EndIf}
!macroend

; A program that runs has its file open: it goes with the next start of the machine.
!macro delete_previous name
    Delete /REBOOTOK "$INSTDIR\${name}.previous"
!macroend

!macro delete_new name
    Delete "$INSTDIR\new\${name}"
!macroend

!macro delete_file name
    !insertmacro free_name "$INSTDIR\${name}"
    Delete /REBOOTOK "$INSTDIR\${name}" ; when it cannot be renamed either
    !insertmacro free_name "$INSTDIR\${name}.previous"
!macroend
