package compose

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"qcat/deploy/opstest/box"
)

// volumeFolder is where a named volume is kept; it outlives the containers.
func volumeFolder(project, name string) string {
	return filepath.Join(box.Store, "volumes", project+"_"+name)
}

// specOf is a service's container, but for its layer and addresses.
func specOf(p *types.Project, s types.ServiceConfig, im image) (box.Spec, error) {
	spec := box.Spec{
		Name: containerName(p, s), Hostname: orElse(s.Hostname, s.Name),
		Argv: slices.Concat(im.entrypoint, im.cmd), Dir: orElse(s.WorkingDir, im.dir), User: orElse(s.User, im.user),
		ReadOnly: s.ReadOnly, CapAdd: s.CapAdd, CapDrop: s.CapDrop, ShmSize: int64(s.ShmSize),
		StopSignal: orElse(s.StopSignal, im.stop), Grace: 10 * time.Second,
		// What Docker sets in every container.
		Sysctls: map[string]string{"net.ipv4.ip_unprivileged_port_start": "0", "net.ipv4.ping_group_range": "0 2147483647"},
		Limits:  map[string]box.Limit{},
	}
	if s.Entrypoint != nil { // and then the image's command does not count
		spec.Argv = slices.Clone(s.Entrypoint)
	} else if len(s.Command) > 0 {
		spec.Argv = slices.Clone(im.entrypoint)
	}
	spec.Argv = append(spec.Argv, s.Command...)
	if s.StopGracePeriod != nil {
		spec.Grace = time.Duration(*s.StopGracePeriod)
	}
	spec.NoNewPrivileges = slices.ContainsFunc(s.SecurityOpt, func(o string) bool {
		return o == "no-new-privileges:true" || o == "no-new-privileges"
	})
	maps.Copy(spec.Sysctls, s.Sysctls)
	for name, l := range s.Ulimits {
		soft, hard := l.Soft, l.Hard
		if l.Single != 0 {
			soft, hard = l.Single, l.Single
		}
		spec.Limits[name] = box.Limit{Soft: uint64(soft), Hard: uint64(hard)}
	}
	spec.Env = environment(s, im, spec.Hostname)
	spec.Files = map[string]string{
		"/etc/resolv.conf": "nameserver " + box.Resolver + "\noptions ndots:0\n",
		"/etc/hostname":    spec.Hostname + "\n",
		"/etc/hosts":       "127.0.0.1 localhost\n",
		// Only these files and Docker's own names are asked.
		"/etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nservices: files\nprotocols: files\n",
	}
	var err error
	spec.Mounts, err = mountsOf(p, s, im)
	return spec, err
}

// environment of a service over the image's.
func environment(s types.ServiceConfig, im image, hostname string) []string {
	env := map[string]string{"HOSTNAME": hostname}
	for _, e := range im.env {
		key, value, _ := strings.Cut(e, "=")
		env[key] = value
	}
	for key, value := range s.Environment {
		if value != nil {
			env[key] = *value
		}
	}
	var list []string
	for _, key := range slices.Sorted(maps.Keys(env)) {
		list = append(list, key+"="+env[key])
	}
	return list
}

// mountsOf are a service's mounts, those of outer folders first.
func mountsOf(p *types.Project, s types.ServiceConfig, im image) ([]box.Mount, error) {
	var mounts []box.Mount
	for _, t := range s.Tmpfs {
		target, options, _ := strings.Cut(t, ":")
		mounts = append(mounts, box.Mount{Target: target, Options: orElse(options, "mode=1777")})
	}
	for _, v := range s.Volumes {
		m := box.Mount{Source: v.Source, Target: v.Target, ReadOnly: v.ReadOnly}
		switch v.Type {
		case types.VolumeTypeVolume:
			m.Source = volumeFolder(p.Name, v.Source)
			if _, err := os.Stat(m.Source); os.IsNotExist(err) {
				if err := os.MkdirAll(m.Source, 0o755); err != nil {
					return nil, err
				}
				if err := im.begin(m.Source, v.Target); err != nil {
					return nil, err
				}
			}
		case types.VolumeTypeBind: // Docker makes a folder where there is nothing
			if _, err := os.Stat(m.Source); os.IsNotExist(err) && (v.Bind == nil || bool(v.Bind.CreateHostPath)) {
				if err := os.MkdirAll(m.Source, 0o755); err != nil {
					return nil, err
				}
			}
		case types.VolumeTypeTmpfs:
			m = box.Mount{Target: v.Target, Options: "mode=1777"}
			if v.Tmpfs != nil && v.Tmpfs.Mode != 0 {
				m.Options = fmt.Sprintf("mode=%o", v.Tmpfs.Mode)
			}
		default:
			return nil, fmt.Errorf("service %s: a mount of type %s is not known here", s.Name, v.Type)
		}
		mounts = append(mounts, m)
	}
	for _, secret := range s.Secrets {
		of := p.Secrets[secret.Source]
		if of.File == "" {
			return nil, fmt.Errorf("service %s: secret %s is not a file", s.Name, secret.Source)
		}
		target := orElse(secret.Target, secret.Source)
		if !filepath.IsAbs(target) {
			target = "/run/secrets/" + target
		}
		mounts = append(mounts, box.Mount{Source: of.File, Target: target, ReadOnly: true})
	}
	slices.SortStableFunc(mounts, func(a, b box.Mount) int {
		return strings.Count(a.Target, "/") - strings.Count(b.Target, "/")
	})
	return mounts, nil
}

func containerName(p *types.Project, s types.ServiceConfig) string {
	return orElse(s.ContainerName, p.Name+"-"+s.Name+"-1")
}

// addressOf is what a service's address in a network is to be: what the file says, or one
// that nobody had.
func addressOf(of *types.ServiceNetworkConfig, n *box.Network) (netip.Addr, error) {
	if of == nil || of.Ipv4Address == "" {
		return n.Lease(), nil
	}
	addr, err := netip.ParseAddr(of.Ipv4Address)
	if err == nil && !n.Subnet.Contains(addr) {
		err = fmt.Errorf("%s is not in %s", addr, n.Subnet)
	}
	return addr, err
}

func orElse(text, other string) string {
	if text != "" {
		return text
	}
	return other
}
