/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "records/fields.h"
#include "core/base/compiler.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* Numbers are UINT64 in struct fields whatever the registry has. */
struct field {
    const WCHAR *name;
    DWORD type; /* REG_SZ, REG_DWORD or REG_QWORD */
    size_t offset;
    UINT64 minimum; /* of a number; of a text its bytes */
    UINT64 maximum;
};

#define AT(member) offsetof(struct fields, member)
#define LONGEST    (WNBD_MAX_NAME_LENGTH - 1)

/* A value that is not here has a meaning that this program does not know, so its record is refused: what it would lose
 * may be what keeps somebody's data. */
static const struct field table[] = {
    {L"Hostname", REG_SZ, AT(hostname), 1, LONGEST},
    {L"ExportName", REG_SZ, AT(export_name), 0, LONGEST},
    {L"PortNumber", REG_DWORD, AT(port), 1, 65535},
    {L"SkipNegotiation", REG_DWORD, AT(skip_negotiation), 0, 1},
    {L"Force", REG_DWORD, AT(force), 0, 1},
    {L"Connections", REG_DWORD, AT(connections), 0, WNBD_MAX_CONNECTIONS},
    {L"ReadOnly", REG_DWORD, AT(read_only), 0, 1},
    {L"UseUserspaceNbd", REG_DWORD, AT(use_userspace_nbd), 0, 1},
    {L"BlockCount", REG_QWORD, AT(block_count), 0, INT64_MAX},
    {L"BlockSize", REG_DWORD, AT(block_size), WNBD_DEFAULT_BLOCK_SIZE, 4096},
    {L"PhysicalBlockSize", REG_DWORD, AT(physical_block_size), 0, WNBD_MAX_PHYSICAL_BLOCK_SIZE},
};

/* ---- Between the properties and the fields ---- */

void fields_take(struct fields *fields, const WNBD_PROPERTIES *properties)
{
    const NBD_CONNECTION_PROPERTIES *server = &properties->NbdProperties;

    memset(fields, 0, sizeof(*fields));
    snprintf(fields->hostname, sizeof(fields->hostname), "%s", server->Hostname);
    snprintf(fields->export_name, sizeof(fields->export_name), "%s", server->ExportName);
    fields->port = server->PortNumber;
    fields->skip_negotiation = server->Flags.SkipNegotiation;
    fields->force = server->Flags.Force;
    fields->connections = server->Connections;
    fields->read_only = properties->Flags.ReadOnly;
    fields->use_userspace_nbd = !properties->Flags.UseKernelNbd;
    fields->block_count = properties->BlockCount;
    fields->block_size = properties->BlockSize;
    fields->physical_block_size = properties->PhysicalBlockSize;
}

void fields_give(const struct fields *fields, WNBD_PROPERTIES *properties)
{
    NBD_CONNECTION_PROPERTIES *server = &properties->NbdProperties;

    snprintf(server->Hostname, sizeof(server->Hostname), "%s", fields->hostname);
    snprintf(server->ExportName, sizeof(server->ExportName), "%s", fields->export_name);
    server->PortNumber = (UINT32)fields->port;
    server->Flags.SkipNegotiation = fields->skip_negotiation != 0;
    server->Flags.Force = fields->force != 0;
    server->Connections = (UINT32)fields->connections;
    properties->Flags.ReadOnly = fields->read_only != 0;
    properties->Flags.UseKernelNbd = !fields->use_userspace_nbd;
    properties->Flags.UseUserspaceNbd = fields->use_userspace_nbd != 0;
    properties->Flags.LargeBlocksAllowed = 1; /* who has recorded them has asked for them */
    properties->BlockCount = fields->block_count;
    properties->BlockSize = (UINT32)fields->block_size;
    properties->PhysicalBlockSize = (UINT32)fields->physical_block_size;
    properties->MaxUnmapDescCount = 1;
}

/* ---- Writing ---- */

static DWORD write_text(const struct field *field, const char *text, HKEY key)
{
    WCHAR wide[WNBD_MAX_NAME_LENGTH];
    int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, ARRAYSIZE(wide));

    if (length == 0)
        return GetLastError();
    return (DWORD)RegSetValueExW(key, field->name, 0, REG_SZ, (const BYTE *)wide, (DWORD)length * sizeof(WCHAR));
}

static DWORD write_field(const struct field *field, const struct fields *fields, HKEY key)
{
    const BYTE *value = (const BYTE *)fields + field->offset;
    DWORD size = field->type == REG_QWORD ? sizeof(UINT64) : sizeof(DWORD); /* little endian */

    if (field->type == REG_SZ)
        return write_text(field, (const char *)value, key);
    return (DWORD)RegSetValueExW(key, field->name, 0, field->type, value, size);
}

DWORD fields_write(const struct fields *fields, HKEY key)
{
    DWORD error = ERROR_SUCCESS;

    for (size_t i = 0; i < ARRAYSIZE(table) && error == ERROR_SUCCESS; i++)
        error = write_field(&table[i], fields, key);
    return error;
}

/* ---- Reading ---- */

static DWORD PRINTF_LIKE(2, 3) refuse(char problem[RECORD_PROBLEM_SIZE], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(problem, RECORD_PROBLEM_SIZE, format, arguments);
    va_end(arguments);
    return ERROR_INVALID_DATA;
}

static const char *type_word(DWORD type)
{
    return type == REG_SZ ? "REG_SZ" : type == REG_DWORD ? "REG_DWORD" : "REG_QWORD";
}

/* A text has a NUL more than its bytes, and RegGetValue gives it one if it had none. */
static DWORD read_text(const struct field *field, const WCHAR *wide, char *text, char *problem)
{
    int size = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, text, WNBD_MAX_NAME_LENGTH, NULL, NULL);

    if (size == 0)
        return refuse(problem, "its value '%ls' is longer than %d bytes or no text", field->name, LONGEST);
    if ((UINT64)size - 1 < field->minimum)
        return refuse(problem, "its value '%ls' is empty", field->name);
    return ERROR_SUCCESS;
}

static DWORD read_number(const struct field *field, UINT64 number, UINT64 *to, char *problem)
{
    if (number < field->minimum || number > field->maximum)
        return refuse(problem, "its value '%ls' is %llu, but must be from %llu to %llu", field->name,
                      (unsigned long long)number, (unsigned long long)field->minimum,
                      (unsigned long long)field->maximum);
    *to = number;
    return ERROR_SUCCESS;
}

static DWORD flag_of(DWORD type)
{
    return type == REG_SZ ? RRF_RT_REG_SZ : type == REG_DWORD ? RRF_RT_REG_DWORD : RRF_RT_REG_QWORD;
}

static DWORD read_field(const struct field *field, struct fields *fields, HKEY key, char *problem)
{
    BYTE *to = (BYTE *)fields + field->offset;
    union {
        WCHAR text[WNBD_MAX_NAME_LENGTH];
        UINT64 number;
    } value = {.number = 0};
    DWORD size = sizeof(value);
    DWORD error = (DWORD)RegGetValueW(key, NULL, field->name, flag_of(field->type), NULL, &value, &size);

    if (error == ERROR_FILE_NOT_FOUND)
        return refuse(problem, "its value '%ls' is missing", field->name);
    if (error == ERROR_UNSUPPORTED_TYPE || error == ERROR_INVALID_DATA)
        return refuse(problem, "its value '%ls' is not a %s", field->name, type_word(field->type));
    if (error == ERROR_MORE_DATA)
        return refuse(problem, "its value '%ls' is longer than %d bytes or no text", field->name, LONGEST);
    if (error != ERROR_SUCCESS)
        return error;
    return field->type == REG_SZ ? read_text(field, value.text, (char *)to, problem)
                                 : read_number(field, value.number, (UINT64 *)(void *)to, problem);
}

static bool is_known(const WCHAR *name)
{
    for (size_t i = 0; i < ARRAYSIZE(table); i++) {
        if (_wcsicmp(table[i].name, name) == 0)
            return true;
    }
    return false;
}

static DWORD check_names(HKEY key, char *problem)
{
    WCHAR name[64];
    DWORD length = ARRAYSIZE(name);
    DWORD error;

    for (DWORD i = 0; (error = (DWORD)RegEnumValueW(key, i, name, &length, NULL, NULL, NULL, NULL)) == ERROR_SUCCESS;
         i++, length = ARRAYSIZE(name)) {
        if (!is_known(name))
            return refuse(problem, "it has a value '%ls', which this version does not know", name);
    }
    if (error == ERROR_MORE_DATA)
        return refuse(problem, "it has a value with a long name, which this version does not know");
    return error == ERROR_NO_MORE_ITEMS ? ERROR_SUCCESS : error;
}

DWORD fields_read(struct fields *fields, HKEY key, char problem[RECORD_PROBLEM_SIZE])
{
    DWORD error = check_names(key, problem);

    memset(fields, 0, sizeof(*fields));
    for (size_t i = 0; i < ARRAYSIZE(table) && error == ERROR_SUCCESS; i++)
        error = read_field(&table[i], fields, key, problem);
    return error;
}
