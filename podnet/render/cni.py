import json
def path(options): return f"/etc/cni/net.d/10-{options.network}.conflist"
def net_conf(conf, options):
    return json.dumps({"cniVersion":"0.3.1","name":options.network,"plugins":[{"type":"bridge","bridge":options.bridge,"isGateway":True,"ipMasq":options.ip_masq,"hairpinMode":options.hairpin_mode,"mtu":options.mtu,"ipam":{"type":"host-local","dataDir":"/run/podnet/ipam","subnet":str(conf.subnet),"routes":[{"dst":"0.0.0.0/0"}]}},{"type":"portmap","capabilities":{"portMappings":True},"snat":True}]},indent=2)+"\n"
