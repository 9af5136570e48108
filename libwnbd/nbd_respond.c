/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs become answers to the driver, several in one command. */
#include "libwnbd/answers.h"
#include "libwnbd/nbd_session.h"

/* SPC-4: LOGICAL UNIT COMMUNICATION FAILURE */
const struct scsi_sense nbd_sense_no_server = {
    .key = SENSE_KEY_NOT_READY,
    .asc = ASC_NOT_READY_COMMUNICATION_FAILURE >> 8,
};

static void set_status(PWNBD_STATUS status, const struct scsi_sense *sense)
{
    if (sense->information_valid)
        WnbdSetSenseEx(status, sense->key, sense->asc, sense->information);
    else
        WnbdSetSense(status, sense->key, sense->asc);
    status->ASCQ = sense->ascq;
}

void nbd_respond(struct nbd_session *session, struct nbd_job *job, const struct scsi_sense *sense)
{
    WNBD_IO_RESPONSE *response = &session->responses[session->response_count++];

    memset(response, 0, sizeof(*response));
    response->RequestHandle = job->handle;
    response->RequestType = job->type;
    if (sense)
        set_status(&response->Status, sense);
    AcquireSRWLockExclusive(&session->lock);
    nbd_jobs_end(&session->jobs, job); /* before the driver, which gives the slot again once it has the answer */
    ReleaseSRWLockExclusive(&session->lock);
    if (session->response_count == NBD_RESPONSES_MAX)
        nbd_respond_now(session);
}

void nbd_respond_now(struct nbd_session *session)
{
    if (session->response_count != 0)
        answers_send(served_of(session->disk), session->responses, session->response_count);
    session->response_count = 0;
}
