"""The small program that a Linux shell runs for us, so that answers are exact."""

# One line for the target; POSIX sh, md5sum, base64 and some more that even a small busybox has. It
# echoes nothing and reads lines:
#   N LENGTH COMMAND   runs a command once, however often line N comes: in a subshell, its output
#                      kept in a file; then sends that as numbered base64 lines. Its input is empty,
#                      but for a command that starts with <, which reads the lines that follow
#   +N LENGTH SPEC     sends lines of the kept answer N again (SPEC is sed's)
#   ?TAG               is answered by a status line with this tag
# LENGTH is that of what follows: a line that lost a character is not taken. Each line is answered
# by a status line, which says its numbers twice, so a torn one is not taken either.
_SOURCE = r"""
u_k=@KEY@ u_t=$(printf "\n.") u_n=0 u_s=1 u_c=0 u_z=0 u_e=p u_q=0;
for u_p in /run /dev/shm /tmp /dev; do
u_d=$(mktemp -d $u_p/ubtest.XXXXXX 2>/dev/null) && { u_s=0; break; };
done;
for u_p in md5sum base64 awk sed wc mktemp head; do command -v $u_p >/dev/null || u_s=2; done;
u_say() {
set -- "$u_q $u_n $u_s $u_z $u_e"; echo; echo "<$u_k $1|$1|$u_c>";
};
u_send() {
u_e=p u_a= u_i=0;
for u_b in $(base64 <$u_d/out); do u_i=$((u_i+1)); u_a="$u_a$u_n.$u_i:$u_b${u_t%.}"; done;
echo; echo "$u_a$u_n.$((u_i+1)):."; echo "$u_a$u_n.$((u_i+1)):." >$u_d/lines;
};
u_bulk() {
u_e=g; gzip -c <$u_d/out >$u_d/gz || { u_e=p; cat <$u_d/out >$u_d/gz; };
base64 <$u_d/gz |
awk -v n=$u_n '{ print n "." NR ":" $0 } END { print n "." NR+1 ":." }' >$u_d/lines;
echo; cat $u_d/lines;
};
u_run() {
case $u_r in
"<"*) (eval "${u_r#<}") >$u_d/out 2>&1;;
*) (eval "$u_r") >$u_d/out 2>&1 </dev/null;;
esac;
u_s=$? u_z=0;
[ -s $u_d/out ] || return;
set -- $(wc -c <$u_d/out; md5sum <$u_d/out); u_z=$1 u_c=$2;
if [ $u_z -gt 2000 ]; then u_bulk; else u_send; fi;
};
u_say;
while IFS= read -r u_l; do
u_m=${u_l%% *} u_r=${u_l#* }; u_w=${u_r%% *} u_r=${u_r#* };
case $u_m in
[?]*) u_q=${u_m#?};;
*) [ "$u_w" = "${#u_r}" ] && case $u_m in
+$u_n) echo; sed -n "$u_r" $u_d/lines;;
""|*[!0-9]*) ;;
*) [ "$u_m" -gt "$u_n" ] && { u_n=$u_m; u_run; };;
esac;;
esac;
u_say;
done
"""


def agent(key: str) -> str:
    """The program as one line.

    :param key: a word of this dialogue's own, in each of its status lines.
    """
    return " ".join(_SOURCE.replace("@KEY@", key).split("\n")).strip()


def starting(key: str) -> str:
    """What is typed at a shell's prompt to have it read and run :func:`agent`.

    It says `READY` and the key, in a form that its own echo is not, when the line can come.
    """
    length = len(agent(key))
    return (
        f"stty -echo; echo RE''ADY{key}; IFS= read -r u_a; "
        f'[ ${{#u_a}} = {length} ] && sh -c "$u_a"'
    )
