# SPDX-License-Identifier: Apache-2.0
# needs: busybox
# long
# timeout: 300
# shell: busybox sh
# Every applet is started once without input: same status, same first line of help.
for a in $(busybox --list | busybox sort); do
    case $a in
    init | linuxrc | reboot | poweroff | halt | getty | login | sulogin | su | syslogd | klogd | udhcpc* | httpd | telnetd | ftpd | watchdog | sh | ash | hush | bash | less | vi | more | top | ed | crond | inetd | ntpd | arping | ping* | traceroute* | nc | tftp* | wget | ifup | ifdown | deallocvt | chvt | openvt | reset | setsid | yes | watch | script | tee | cat | rev | dc | bc | *sum | sleep | usleep | acpid | mdev | uevent | lsusb | lspci | free | ps | uptime | who | w | users | last | date | dmesg | df | mount | ifconfig | route | netstat | ip* | hostid | nproc | tty | time | logread | adjtimex | blkid | fdisk | losetup | rdate | swapo* | hwclock | rtcwake | i2c* | ubi* | nbd* | uname | pwd | id | whoami | groups | logname | env | printenv | ls | dir | du | find | arp | fuser | lsof | pstree | pmap | mpstat | iostat | nmeter | powertop | smemcap | runlevel | fbset | kbd_mode | beep | eject | cttyhack | seedrng | devmem | taskset | chrt | ionice | renice | nice | kill* | pkill | pgrep | pidof | partprobe | blockdev | tail | head | cmp | comm | tsort) continue ;;
    esac
    busybox $a --help > out 2>&1 < /dev/null; s=$?
    echo "$a $s $(busybox grep -m 1 Usage out)"
done
