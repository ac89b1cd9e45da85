#!/bin/bash
# The floor: the same steps as the plainest shell script, without Pulumi. Called by bench/up.py with the stack's
# folder as $1 (Vagrantfile, machines.json and keys are there) and a prepared environment.
set -euo pipefail
files=$2
cd "$1"
node=/usr/local/lib/podnet/podnet-node
on() {
    ssh -i id_ed25519 -o "UserKnownHostsFile=machines/$1/known_hosts" -o BatchMode=yes -o LogLevel=ERROR \
        "vagrant@${address[$1]}" "${@:2}"
}
jobs=()
# all: wait for every job; it fails where one of them has.
all() {
    local job status=0
    for job in "${jobs[@]}"; do wait "$job" || status=1; done
    jobs=()
    return $status
}
phase() { printf '%s %s\n' "$(date +%s.%N)" "$1" >&3; }
declare -A address=([master]=10.100.196.200 [node1]=10.100.196.201 [node2]=10.100.196.202)

phase machines
for name in master node1 node2; do
    {
        sh "$files/$name.up" < "$files/$name.machine" > "$files/$name.log" 2>&1 || {
            cat "$files/$name.log" >&2
            exit 1
        }
    } &
    jobs+=($!)
done
all
phase network
for name in master node1 node2; do
    (
        on $name 'sudo sh -s' < "$files/service.sh"
        on $name "sudo $node cni-conf /etc/cni/net.d/10-mynet.conflist cni0" < "$files/$name.conf"
        on $name "sudo $node masquerade" < "$files/$name.masquerade"
        for peer in master node1 node2; do
            [ $peer = $name ] || on $name "sudo $node route $peer $(cat "$files/$peer.address")" < "$files/$name-$peer.route"
        done
    ) &
    jobs+=($!)
done
all
phase kubeadm
on master "sudo $node kubeadm-init" < "$files/init.yaml"
on master "sudo cat /etc/kubernetes/admin.conf" > admin.conf
join() {
    on master "sudo $node bootstrap-token $1" | "$PODNET_PYTHON" -m bench.join "$1" | on "$1" "sudo $node join"
    on master "sudo $node register $1 ${subnet[$1]}" > /dev/null
}
declare -A subnet=([master]=10.25.1.0/24 [node1]=10.25.2.0/24 [node2]=10.25.3.0/24)
on master "sudo $node register master ${subnet[master]}" > /dev/null &
jobs+=($!)
for name in node1 node2; do
    join $name &
    jobs+=($!)
done
all
phase workload
kubectl --kubeconfig admin.conf apply -f "$files/workload.json" > /dev/null
kubectl --kubeconfig admin.conf rollout status deployment/nginx-deployment --timeout=120s > /dev/null
phase verify
"$PODNET_PYTHON" -m podnet verify --stack bench --cluster "$files/cluster.json" --format summary > /dev/null 2>&1
phase end
