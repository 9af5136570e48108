#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The bed itself, without the product: a right miniport (ramdisk.sys) works on it, and each way in which a miniport can be
wrong (wrong.sys) is caught and named. The build is that of the preset windows-x64, or of WNBD_BUILD.
"""
import contextlib
import os
import pathlib
import re
import socket
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('WNBD_BUILD', ROOT / 'build/windows-x64'))
BED = ROOT / 'bed/wine/bed'
SOURCE = (ROOT / 'tests/bed/wrong.c').read_text(encoding='utf-8')
WRONGS = re.search(r'enum wrong \{(.*?)\};', SOURCE, re.S).group(1).replace(' ', '').replace('\n', '').split(',')

EXIT_VIOLATION, EXIT_CRASH, EXIT_HANG = 3, 4, 5


def bed(driver, *words, timeout=60, keep_log=None, **parameters):
    """Runs bedtest in a fresh bed with one of our miniports."""
    command = ['/usr/bin/python3', str(BED), 'run', '--build', str(BUILD), '--driver', str(BUILD / f'tests/bed/{driver}.sys'),
               '--inf', str(ROOT / f'tests/bed/{driver}.inf'), '--timeout', str(timeout)]
    for name, value in parameters.items():
        command += ['--set-parameter', f'{name}={value}']
    command += ['--keep-log', str(keep_log)] if keep_log else []
    command += ['--', str(BUILD / 'tests/bed/bedtest.exe'), *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors='replace',
                          timeout=timeout + 240, check=False)
    print(done.stdout, done.stderr)
    return done


def right(*words, **options):
    """A run of the RAM disk that must be faultless."""
    done = bed('ramdisk', *words, **options)
    assert 'BED VIOLATION' not in done.stderr
    assert 'FAILED' not in done.stdout
    assert done.returncode == 0
    return done.stdout


def wrong(name, *words, expect=EXIT_VIOLATION, **options):
    done = bed('wrong', *words, Wrong=WRONGS.index(name), **options)
    assert done.returncode == expect
    return done


# ---- a right miniport ----

def test_ramdisk_is_described():
    said = right('info', 5)
    assert 'length 67108864' in said
    assert "vendor 'BEDTEST ' product 'MEMORY DISK     ' revision '1.0 ' serial 'RAM00000' bus 14" in said
    assert 'address 0:0:0:0' in said
    for number, length in ((1, 32), (2, 36), (4, 28), (6, 28), (7, 12), (8, 12), (11, 40), (48, 16)):
        assert f'property {number}: {length} bytes' in said


@pytest.mark.parametrize('options', [{}, {'Threaded': 1}, {'BedSample': 1}, {'Threaded': 1, 'BedSample': 1, 'QueueDepth': 3},
                                     {'BedIssuers': 4}, {'BedIssuers': 4, 'Threaded': 1}],
                         ids=lambda options: ' '.join(options) or 'plain')
def test_ramdisk_keeps_data(options):
    right('rw', 5, ',', 'queue', 5, ',', 'edges', 5, ',', 'flush', 5, ',', 'pass', 5, ',', 'trim', 5, timeout=120, **options)


def counts(said):
    """Each `counts` in what bedtest said."""
    return [{name: int(value) for name, value in re.findall(r'(\w+)=(\d+)', line)}
            for line in re.findall(r'^counts \w+\.sys (.*)$', said, re.M)]


def test_ramdisk_holds_its_memory_and_asks_for_no_more():
    first, last = counts(right('info', 5, ',', 'counts', ',', 'rw', 5, ',', 'counts'))
    assert first['nonpaged_bytes'] == first['pool_peak'] == 64 << 20
    assert (first['blocks'], first['blocks_made'], first['threads'], first['irps'], first['mdls']) == (1, 1, 0, 0, 0)
    assert last == first


def test_ramdisk_read_only():
    said = bed('ramdisk', 'info', 5, ',', 'write', 5, 0, 4096, ReadOnly=1)
    assert 'writable: error 19' in said.stdout
    assert 'error 19\n' in said.stdout.rsplit('property', 1)[1]
    assert 'BED VIOLATION' not in said.stderr


def test_ramdisk_unit_attention_is_retried():
    right('rw', 5, Attention=1)


def test_ramdisk_write_through_and_flush(tmp_path):
    """FILE_FLAG_WRITE_THROUGH becomes FUA, FlushFileBuffers SYNCHRONIZE CACHE; neither comes by itself."""
    log = tmp_path / 'log'
    right('write', 5, 0, 4096, keep_log=log)
    assert 'ramdisk: ' not in log.read_text()
    right('rw', 5, keep_log=log)
    assert 'ramdisk: a write with FUA' in log.read_text()
    assert 'ramdisk: SYNCHRONIZE CACHE' in log.read_text()


@pytest.mark.parametrize('stall, steps', [(1, ['resetting target 0 LUN 0']), (2, ['LUN 0', 'resetting target 0\n']),
                                          (3, ['LUN 0', 'resetting target 0\n', 'HwResetBus'])])
@pytest.mark.parametrize('threaded', [0, 1])
def test_ramdisk_timeout_escalates_until_a_reset_helps(stall, steps, threaded, tmp_path):
    log = tmp_path / 'log'
    said = right('read', 5, 4096, 4096, keep_log=log, Stall=stall, Threaded=threaded, IoTimeoutValue=1)
    assert 'error 0' in said
    text = log.read_text()
    assert all(step in text for step in steps)
    assert stall == 3 or 'HwResetBus' not in text


def test_ramdisk_busy_is_retried():
    assert 'error 0' in right('write', 5, 4096, 4096, Busy=15)


def test_ramdisk_pause_holds_requests():
    said = right('read', 5, 4096, 4096, Pause=2)
    assert int(re.search(r'after (\d+) ms', said).group(1)) >= 1000


def test_ramdisk_many_targets():
    said = right('info', 132, ',', 'rw', 132, ',', 'list', Targets=128, Megabytes=16)
    assert len(re.findall(r'^disk ', said, re.M)) == 128


def test_ramdisk_many_luns():
    said = right('info', 12, ',', 'list', Luns=8, Megabytes=1)
    assert '0:0:7 started 1' in said
    assert 'address 0:0:0:7' in said


def test_ramdisk_removed_when_nobody_has_it_open():
    said = right('remove', 5, ',', 'absent', 5)
    assert 'error 0 vetoed 0' in said


def test_ramdisk_open_handle_vetoes():
    said = right('remove-open', 5, ',', 'rw', 5)
    assert re.search(r'error 0 vetoed 1 type 5 by SCSI\\Disk&Ven_BEDTEST', said)


def test_ramdisk_adapter_disabled_and_enabled():
    said = right('cycle-adapter', 5, ',', 'rw', 5)
    assert 'enable: error 0' in said


def test_ramdisk_devices_that_go_and_come_are_told_of():
    assert right('notified', 5).count('notified: disk removal, disk arrival') == 1


def test_ramdisk_resets():
    right('info', 5, ',', 'inject', 1, 5, ',', 'inject', 2, 5, ',', 'inject', 3, 5, ',', 'rw', 5, Threaded=1)


def test_ramdisk_adapter_stopped_and_restarted():
    right('info', 5, ',', 'inject-adapter', 5, 5, ',', 'inject-adapter', 6, 5, ',', 'rw', 5)


def test_ramdisk_mapping_failure_is_retried():
    right('info', 5, ',', 'inject-adapter', 7, 5, ',', 'read', 5, 0, 4096)


def test_ramdisk_rescan_finds_the_same_disk():
    right('info', 5, ',', 'inject-adapter', 10, 5, ',', 'rw', 5)


def test_ramdisk_surprise_removal():
    right('info', 5, ',', 'inject', 9, 5, ',', 'absent', 5)


# ---- a wrong miniport: what an SRB of block 8 meets ----

# misbehaviour: the rule that its violation names, and what drives it
CAUGHT = {
    'COMPLETES_TWICE': ('completed-twice', 'read'),
    'COMPLETES_UNKNOWN': ('completed-unknown', 'read'),
    'STATUS_LEFT_PENDING': ('status-pending', 'read'),
    'STATUS_INVENTED': ('status-unknown', 'read'),
    'STATUS_FROZEN': ('status-frozen', 'read'),
    'SUCCESS_WITH_CHECK_CONDITION': ('status-mismatch', 'read'),
    'LENGTH_GROWN': ('length-grown', 'read'),
    'LENGTH_SHORT': ('length-wrong', 'read'),
    'SENSE_WITHOUT_FLAG': ('sense-unflagged', 'read'),
    'FLAG_WITHOUT_SENSE': ('sense-missing', 'read'),
    'CHECK_CONDITION_WITHOUT_SENSE': ('sense-absent', 'read'),
    'SENSE_OF_NO_FORMAT': ('sense-format', 'read'),
    'SENSE_OVERRUN': ('sense-overrun', 'read'),
    'TOUCHES_SRB': ('touched-after-completion: the SRB at', 'read'),
    'TOUCHES_EXTENSION': ('touched-after-completion: the SRB extension', 'read'),
    'TOUCHES_SENSE': ('touched-after-completion: the sense buffer', 'read'),
    'TOUCHES_DATA': ('data-touched', 'read'),
    'DATA_OVERRUN': ('data-overrun', 'read'),
    'CHANGES_WRITE_DATA': ('data-changed', 'write'),
    'MAPS_AFTER_COMPLETION': ('not-outstanding', 'read'),
    'LEAKS_STORPORT_POOL': ('pool-leak: 100 bytes', 'read'),
    'OVERRUNS_STORPORT_POOL': ('pool-overrun', 'read'),
    'FREES_STORPORT_POOL_TWICE': ('pool-free', 'read'),
    'LEAKS_POOL': ('pool', 'read'),
    'LEAVES_THREAD': ('thread', 'read'),
    'CALLS_AFTER_FREE': ('call-after-free', 'read'),
    'TOUCHES_DEVICE_EXTENSION_AFTER_FREE': ('extension-touched', 'read'),
    'SERVICE_TWICE': ('service-twice', 'service'),
    'SERVICE_NEVER': ('service-never', 'service'),
    'SERVICE_WITH_CANCEL_ROUTINE': ('service-cancel', 'service'),
    'SERVICE_LEFT_PENDING': ('service-pending', 'service'),
    'SERVICE_ANSWER_TOO_LONG': ('service-length', 'service'),
    'TOO_MANY_TARGETS': ('find-adapter: MaximumNumberOfTargets', 'info'),
    'QUEUES_OUT_OF_ORDER': ('find-adapter: InitialLunQueueDepth', 'info'),
    'WAITS_IN_START_IO': ('irql', 'read'),
}
DRIVES = {'read': ('read', 5, 4096, 4096), 'write': ('write', 5, 4096, 4096), 'service': ('service',), 'info': ('info', 5)}


@pytest.mark.parametrize('name', CAUGHT)
def test_wrong_is_named(name):
    rule, drive = CAUGHT[name]
    done = bed('wrong', *DRIVES[drive], Wrong=WRONGS.index(name), BedSample=1)
    assert re.search(f'BED VIOLATION: .*{re.escape(rule)}', done.stderr), f'{rule} expected'
    assert done.returncode not in (0, EXIT_CRASH, EXIT_HANG)


@pytest.mark.parametrize('name, rule', [('OLD_INITIALIZATION_DATA', 'initialize-size'), ('NOT_VIRTUAL', 'initialize-feature')])
def test_wrong_initialization_is_refused(name, rule):
    done = bed('wrong', 'absent', 5, Wrong=WRONGS.index(name))
    assert done.returncode != 0
    assert f'BED VIOLATION: {rule}' in done.stderr


@pytest.mark.parametrize('name, count, made, growth', [('LEAKS_POOL', 'nonpaged_bytes', 'blocks_made', 1000),
                                                       ('LEAKS_STORPORT_POOL', 'nonpaged_bytes', 'blocks_made', 100),
                                                       ('LEAVES_THREAD', 'threads', 'threads_made', 1)])
def test_wrong_is_counted(name, count, made, growth):
    """What is leaked shows at once to whoever asks for the counts, not only at the end."""
    done = wrong(name, 'info', 5, ',', 'counts', ',', *DRIVES['read'], ',', 'counts', expect=EXIT_VIOLATION)
    first, last = counts(done.stdout)
    assert (last[count] - first[count], last[made] - first[made]) == (growth, 1)


def test_wrong_completed_while_lent():
    with contextlib.closing(socket.create_server(('127.0.0.1', 0))) as server:
        done = bed('wrong', *DRIVES['read'], Wrong=WRONGS.index('COMPLETES_WHILE_LENT'), Port=server.getsockname()[1])
    assert 'BED VIOLATION: completed-while-lent' in done.stderr
    assert 'its data buffer' in done.stderr


def test_wrong_never_completes():
    done = bed('wrong', *DRIVES['read'], Wrong=WRONGS.index('NEVER_COMPLETES'), IoTimeoutValue=1, timeout=15)
    assert done.returncode == EXIT_HANG
    assert 'BED VIOLATION: not-completed-after-reset' in done.stderr


@pytest.mark.parametrize('name', ['USES_DATA_BUFFER_ADDRESS', 'DEREFERENCES_NULL'])
def test_wrong_crash_is_told(name):
    done = bed('wrong', *DRIVES['read'], Wrong=WRONGS.index(name))
    assert done.returncode == EXIT_CRASH
    assert 'bed: the driver crashed' in done.stderr


def test_wrong_hang_is_told():
    done = bed('wrong', *DRIVES['read'], Wrong=WRONGS.index('HANGS'), timeout=10)
    assert done.returncode == EXIT_HANG
    assert 'did not end within 10 s' in done.stderr


def test_every_wrong_is_tried():
    """A misbehaviour without a test would be one that nobody knows to be caught."""
    text = pathlib.Path(__file__).read_text(encoding='utf-8')
    assert [name for name in WRONGS if name and name != 'NOTHING_WRONG' and f"'{name}'" not in text] == []


def test_nothing_wrong():
    done = bed('wrong', *DRIVES['read'], Wrong=0, BedSample=1)
    assert done.returncode == 0
    assert 'BED VIOLATION' not in done.stderr
