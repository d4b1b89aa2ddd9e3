# SPDX-License-Identifier: Apache-2.0
# needs: perl
# shell: perl
# Processes, pipes, signals, sockets, files in Perl.
use strict; use warnings; use POSIX qw(:sys_wait_h WNOHANG); use Socket; use IO::Handle; use File::Temp; use Time::HiRes qw(time sleep alarm);
$| = 1;
my $pid = fork; if (!$pid) { exit 7 } waitpid($pid, 0); print "exit ", $? >> 8, "\n";
open(my $p, '-|', 'echo from child; exit 3') or die; print <$p>; close $p; print "close ", $? >> 8, "\n";
pipe(my $r, my $w); if (!fork) { close $r; print $w "pipe line $_\n" for 1 .. 3; exit } close $w; print while <$r>; wait;
local $SIG{USR1} = sub { print "usr1\n" }; kill USR1 => $$;
eval { local $SIG{ALRM} = sub { die "alarm\n" }; alarm 0.05; sleep 5; }; print "caught $@";
socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die; $a->autoflush(1); print $a "over socket\n"; print scalar <$b>;
my %h = map { $_ => $_ ** 2 } 1 .. 100; my $s = 0; $s += $_ for values %h; print "$s\n";
open(my $f, '+>', 'file') or die; print $f "x" x 10000; seek($f, 5000, 0); read($f, my $buf, 10); print "$buf ", -s 'file', "\n"; close $f;
my ($t, $n) = File::Temp::tempfile(UNLINK => 1); print $t "t"; close $t; print -e $n ? "temp\n" : "none\n";
opendir(my $d, '/') or die; print scalar(grep { /^(etc|usr)$/ } readdir $d), "\n";
my @st = stat('/'); print "$st[4]\n"; print join(',', (getpwuid(0))[0, 2]), "\n";
print `echo backtick`; system('sh -c "exit 5"'); print $? >> 8, "\n"; system('kill -9 $$'); print $? & 127, "\n";
my @kids = map { my $k = $_; my $p = fork; if (!$p) { sleep 0.01 * $k; exit $k } $p } 1 .. 10; my $sum = 0; for (@kids) { waitpid $_, 0; $sum += $? >> 8 } print "sum $sum\n";
my $text = join ' ', map { "word$_" } 1 .. 20000; my $c = () = $text =~ /word\d*7\b/g; print "$c\n"; print sprintf("%.6f", atan2(1, 1) * 4), "\n";
symlink 'file', 'link'; print readlink 'link', "\n"; rename 'file', 'moved'; print -l 'link' ? "dangling\n" : "", -e 'link' ? "yes" : "no", "\n"; mkdir 'dd'; rmdir 'dd'; print $!{ENOENT} ? '' : '', (unlink 'none') ? '' : "unlink $!\n";
exec 'echo', 'the end';
