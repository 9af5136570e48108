/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The instrumentation manifest: https://learn.microsoft.com/windows/win32/wes/writing-an-instrumentation-manifest */
#include "tests/unit/messages.h"

#include "driver/messages.h"

static void print_escaped(FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", file);
            break;
        case '<':
            fputs("&lt;", file);
            break;
        case '>':
            fputs("&gt;", file);
            break;
        case '"':
            fputs("&quot;", file);
            break;
        default:
            fputc(*text, file);
        }
    }
}

static bool has_inserts(const struct message *message)
{
    return message->has_disk || message->inserts[0] != '\0';
}

static void print_event(FILE *file, const struct message *message)
{
    static const char *const levels[] = {"", "win:Informational", "win:Warning", "win:Error"};

    fprintf(file,
            "          <event value=\"%u\" symbol=\"EVENT_%s\" version=\"0\" channel=\"operational\" level=\"%s\"",
            message->id, message->name, levels[MESSAGES_KIND(message->id)]);
    if (has_inserts(message)) {
        fprintf(file, " template=\"%s\"", message->name);
    }
    fprintf(file, " message=\"$(string.%s)\"/>\n", message->name);
}

static void print_field(FILE *file, const char *name, size_t length)
{
    fprintf(file, "            <data name=\"%.*s\" inType=\"win:UnicodeString\"/>\n", (int)length, name);
}

static void print_template(FILE *file, const struct message *message)
{
    const char *word = message->inserts;
    size_t length = 0;

    if (!has_inserts(message)) {
        return;
    }
    fprintf(file, "          <template tid=\"%s\">\n", message->name);
    if (message->has_disk) {
        print_field(file, "Disk", 4);
    }
    while ((word = messages_word(word + length, &length)) != NULL) {
        print_field(file, word, length);
    }
    fprintf(file, "          </template>\n");
}

static void print_string(FILE *file, const struct message *message)
{
    fprintf(file, "        <string id=\"%s\" value=\"", message->name);
    messages_print_text(file, message, 1);
    fputs(". ", file);
    print_escaped(file, message->meaning);
    fputs(" What to do: ", file);
    print_escaped(file, message->to_do);
    fprintf(file, "\"/>\n");
}

static void print_head(FILE *file)
{
    fprintf(file,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->\n"
            "<!-- Made of driver/messages.h by tests/unit/test-messages. -->\n"
            "<instrumentationManifest xmlns=\"http://schemas.microsoft.com/win/2004/08/events\"\n"
            "    xmlns:win=\"http://manifests.microsoft.com/win/2004/08/windows/events\">\n"
            "  <instrumentation>\n"
            "    <events>\n"
            "      <provider name=\"" MESSAGES_PROVIDER_NAME "\" guid=\"" MESSAGES_PROVIDER_TEXT
            "\" symbol=\"WNBD_DRIVER\"\n"
            "          resourceFileName=\"%%SystemRoot%%\\System32\\wnbd-events.dll\"\n"
            "          messageFileName=\"%%SystemRoot%%\\System32\\wnbd-events.dll\">\n"
            "        <channels>\n"
            "          <channel chid=\"operational\" name=\"" MESSAGES_PROVIDER_NAME
            "/Operational\" type=\"Operational\" "
            "value=\"%d\" enabled=\"true\"/>\n"
            "        </channels>\n",
            MESSAGES_CHANNEL);
}

void messages_print_manifest(FILE *file)
{
    print_head(file);
    fprintf(file, "        <templates>\n");
    for (const struct message *message = messages; message->name; message++) {
        print_template(file, message);
    }
    fprintf(file, "        </templates>\n        <events>\n");
    for (const struct message *message = messages; message->name; message++) {
        print_event(file, message);
    }
    fprintf(file, "        </events>\n      </provider>\n    </events>\n  </instrumentation>\n  <localization>\n"
                  "    <resources culture=\"en-US\">\n      <stringTable>\n");
    for (const struct message *message = messages; message->name; message++) {
        print_string(file, message);
    }
    fprintf(file, "      </stringTable>\n    </resources>\n  </localization>\n</instrumentationManifest>\n");
}
