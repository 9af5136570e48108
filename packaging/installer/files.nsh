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

; $0: one of our names that is taken.
!macro find_taken name
    ${If} ${FileExists} "$INSTDIR\${name}"
        StrCpy $0 "${name}"
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
        Delete "$INSTDIR\${name}"
    ${EndIf}
    ${If} ${FileExists} "$INSTDIR\${name}.previous"
        Rename "$INSTDIR\${name}.previous" "$INSTDIR\${name}"
    ${EndIf}
!macroend

; A program that runs has its file open: it goes with the next start of the machine.
!macro delete_previous name
    Delete /REBOOTOK "$INSTDIR\${name}.previous"
!macroend

!macro delete_new name
    Delete "$INSTDIR\new\${name}"
!macroend

; It goes by another name, so that the next installation can have this one before that start.
!macro delete_file name
    Delete "$INSTDIR\${name}"
    ${If} ${FileExists} "$INSTDIR\${name}"
        GetTempFileName $0 "$INSTDIR"
        Delete $0
        Rename "$INSTDIR\${name}" $0
        Delete /REBOOTOK $0
        Delete /REBOOTOK "$INSTDIR\${name}" ; when it cannot be renamed either
    ${EndIf}
    Delete /REBOOTOK "$INSTDIR\${name}.previous"
!macroend
