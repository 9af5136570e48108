/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bed/host/irql.h"

#include "bed/host/thread.h"
#include "bed/port/port.h"
#include "bed/port/violation.h"

#include <stdlib.h>

unsigned char bed_irql(void)
{
    return bed_thread_self()->irql;
}

unsigned char bed_irql_raise(unsigned char irql)
{
    struct bed_thread *thread = bed_thread_self();
    unsigned char old = thread->irql;

    if (irql < old) {
        port_violation("irql: raised to %u from %u", irql, old);
    }
    thread->irql = irql;
    return old;
}

void bed_irql_lower(unsigned char irql)
{
    struct bed_thread *thread = bed_thread_self();

    if (irql > thread->irql) {
        port_violation("irql: lowered to %u from %u", irql, thread->irql);
    }
    thread->irql = irql;
}

bool bed_irql_at_most(unsigned char highest, const char *routine)
{
    unsigned char irql = bed_irql();

    if (irql > highest) {
        port_violation("irql: %s was called at IRQL %u, allowed is %u at most", routine, irql, highest);
    }
    return irql <= highest;
}

bool bed_irql_at_least(unsigned char lowest, const char *routine)
{
    unsigned char irql = bed_irql();

    if (irql < lowest) {
        port_violation("irql: %s was called at IRQL %u, it needs %u", routine, irql, lowest);
    }
    return irql >= lowest;
}

KIRQL KeGetCurrentIrql(VOID)
{
    return bed_irql();
}

VOID KeRaiseIrql(KIRQL NewIrql, PKIRQL OldIrql)
{
    *OldIrql = bed_irql_raise(NewIrql);
}

KIRQL KeRaiseIrqlToDpcLevel(VOID)
{
    bed_irql_at_most(DISPATCH_LEVEL, "KeRaiseIrqlToDpcLevel");
    return bed_irql_raise(DISPATCH_LEVEL);
}

VOID KeLowerIrql(KIRQL NewIrql)
{
    bed_irql_lower(NewIrql);
}
