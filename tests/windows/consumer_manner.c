/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the program answers: options of its command line, and of the order `manner`. */
#include "consumer.h"

#include "arguments.h"

#include <string.h>

WnbdRequestType type_named(const char *name)
{
    for (WnbdRequestType type = WnbdReqTypeRead; type <= WnbdReqTypePersistResOut; type++) {
        if (_stricmp(name, WnbdRequestTypeToStr(type)) == 0)
            return type;
    }
    return WnbdReqTypeUnknown;
}

void manner_take(struct arguments *arguments, struct manner *manner)
{
    manner->delay_ms = (uint32_t)arguments_number(arguments, "--delay-ms", 0);
    manner->short_bytes = (uint32_t)arguments_number(arguments, "--short", UINT32_MAX);
    manner->is_short = manner->short_bytes != UINT32_MAX;
    manner->excess = (uint32_t)arguments_number(arguments, "--excess", 0);
    manner->without_data = arguments_flag(arguments, "--without-data");
    manner->null_with_size = arguments_flag(arguments, "--null-with-size");
    manner->gather = (uint32_t)arguments_number(arguments, "--gather", 0);
    manner->never = arguments_flag(arguments, "--never");
    manner->twice = arguments_flag(arguments, "--twice");
    manner->copies = arguments_flag(arguments, "--copies");
    manner->log = arguments_flag(arguments, "--log");
    manner->stall_every = (uint32_t)arguments_number(arguments, "--stall-every", 0);
    manner->stall_ms = (uint32_t)arguments_number(arguments, "--stall-ms", 0);
    manner->linger_ms = (uint32_t)arguments_number(arguments, "--linger-ms", 0);
    manner->fill = (int)arguments_number(arguments, "--fill", UINT32_MAX);
    manner->fails = type_named(arguments_text(arguments, "--fail", ""));
    manner->sense_key = (uint8_t)arguments_number(arguments, "--sense-key", 3);
    manner->asc = (uint8_t)arguments_number(arguments, "--asc", 0x11);
    manner->status = (uint8_t)arguments_number(arguments, "--status", 2);
    manner->has_information = arguments_flag(arguments, "--information");
}
