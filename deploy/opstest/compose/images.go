package compose

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"qcat/deploy/opstest/box"
)

// image is what is in an image beside the machine's own programs.
type image struct {
	id              string // changes when what it holds does
	entrypoint, cmd []string
	env             []string
	user, dir, stop string

	tree    string            // a folder laid over the root; its owners hold
	users   []string          // NAME:UID, beside the machine's
	folders []folder          // which volumes begin as
	links   map[string]string // where the image has a program, and where Debian has it
	files   map[string]string // executables
	plain   []string          // programs without the capabilities that their file gives
}

// folder of an image, with its owner.
type folder struct {
	path     string
	uid, gid int
	mode     os.FileMode
}

const usualPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

//go:embed postgres-entrypoint.sh
var postgresEntrypoint string

// official are the images that are pulled, as their projects publish them.
var official = map[string]image{
	"postgres": {
		entrypoint: []string{"docker-entrypoint.sh"}, cmd: []string{"postgres"}, stop: "SIGINT",
		env:     []string{"PATH=" + postgresBin() + ":" + strings.TrimPrefix(usualPath, "PATH="), "PGDATA=/var/lib/postgresql/data", "LANG=C.UTF-8"},
		files:   map[string]string{"/usr/local/bin/docker-entrypoint.sh": postgresEntrypoint},
		folders: []folder{{"/run/postgresql", -1, -1, 0o3777 &^ 0o2000}, {"/var/lib/postgresql/data", -1, -1, 0o777}},
	},
	"redis": {
		entrypoint: []string{"docker-entrypoint.sh"}, cmd: []string{"redis-server"}, dir: "/data", env: []string{usualPath},
		files:   map[string]string{"/usr/local/bin/docker-entrypoint.sh": "#!/bin/sh\nexec \"$@\"\n"},
		users:   []string{"redis-image:999"},
		folders: []folder{{"/data", 999, 999, 0o755}},
	},
	"nginx": {
		cmd: []string{"nginx", "-g", "daemon off;"}, stop: "SIGQUIT", env: []string{usualPath},
		users: []string{"nginx:101"},
		folders: []folder{{"/var/cache/nginx", 101, 101, 0o755}, {"/var/log/nginx", 0, 0, 0o755},
			{"/run", 0, 0, 0o755}, {"/etc/nginx/conf.d", 0, 0, 0o755}},
		links: map[string]string{"/var/lib/nginx": "/var/cache/nginx"}, // where Debian's keeps what is too long for memory
	},
	"prom/prometheus": {
		entrypoint: []string{"/bin/prometheus"}, user: "65534:65534", dir: "/prometheus", env: []string{usualPath},
		cmd:     []string{"--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"},
		folders: []folder{{"/prometheus", 65534, 65534, 0o755}},
	},
	"prom/alertmanager": {
		entrypoint: []string{"/bin/alertmanager"}, user: "65534:65534", dir: "/alertmanager", env: []string{usualPath},
		cmd:     []string{"--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"},
		links:   map[string]string{"/usr/bin/alertmanager": "/usr/bin/prometheus-alertmanager"},
		folders: []folder{{"/alertmanager", 65534, 65534, 0o755}},
	},
	"prometheuscommunity/postgres-exporter": {
		entrypoint: []string{"/bin/postgres_exporter"}, user: "65534:65534", env: []string{usualPath},
		links: map[string]string{"/usr/bin/postgres_exporter": "/usr/bin/prometheus-postgres-exporter"},
	},
	"oliver006/redis_exporter": {
		entrypoint: []string{"/redis_exporter"}, user: "59000:59000", env: []string{usualPath},
		links: map[string]string{"/redis_exporter": "/usr/bin/prometheus-redis-exporter"},
	},
}

// notToBeHad are images whose programs no package of the distribution has.
var notToBeHad = map[string]string{"grafana/grafana": "Debian has no package of it"}

// repository is a reference without registry and tag.
func repository(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if i := strings.LastIndexByte(ref, ':'); i > strings.LastIndexByte(ref, '/') {
		ref = ref[:i]
	}
	for _, registry := range []string{"docker.io/", "quay.io/", "ghcr.io/", "library/"} {
		ref = strings.TrimPrefix(ref, registry)
	}
	return ref
}

// pulled is an image that is not built here.
func pulled(ref string) (image, error) {
	im, ok := official[repository(ref)]
	if !ok {
		return image{}, fmt.Errorf("image %s: what it holds is not known here (images.go)", ref)
	}
	im.id = ref
	return im, nil
}

// postgresBin is the folder of the newest server that is installed.
func postgresBin() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) == 0 {
		return "/usr/lib/postgresql/15/bin"
	}
	return path.Dir(found[len(found)-1])
}

// unpack writes an image over a container's layer.
func (im image) unpack(upper string) error {
	at := func(p string) string { return filepath.Join(upper, p) }
	if im.tree != "" {
		if out, err := exec.Command("cp", "-a", im.tree+"/.", upper).CombinedOutput(); err != nil {
			return fmt.Errorf("image: %w: %s", err, out)
		}
	}
	for name, text := range im.files {
		if err := writeFile(at(name), text, 0o755); err != nil {
			return err
		}
	}
	for name, target := range im.links {
		if err := os.MkdirAll(path.Dir(at(name)), 0o755); err != nil {
			return err
		}
		if err := os.Symlink(target, at(name)); err != nil {
			return err
		}
	}
	for _, name := range im.plain {
		text, err := os.ReadFile(filepath.Join(box.Lower, name))
		if err != nil {
			return err
		}
		if err := writeFile(at(name), string(text), 0o755); err != nil {
			return err
		}
	}
	for _, f := range im.folders {
		if err := f.make(at(f.path)); err != nil {
			return err
		}
	}
	return im.addUsers(upper)
}

// make creates the folder at a path, as it is in the image.
func (f folder) make(at string) error {
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	if f.uid == -1 { // Debian's user of Postgres has another number than the image's
		f.uid, f.gid = postgresUser()
	}
	if err := os.Chown(at, f.uid, f.gid); err != nil {
		return err
	}
	mode := f.mode & 0o777
	if f.mode&0o1000 != 0 {
		mode |= os.ModeSticky
	}
	return os.Chmod(at, mode)
}

// begin gives an empty volume the owner of what the image has there.
func (im image) begin(volume, target string) error {
	for _, f := range im.folders {
		if f.path == target {
			return f.make(volume)
		}
	}
	return nil
}

func (im image) addUsers(upper string) error {
	for _, name := range []string{"passwd", "group"} {
		text, err := os.ReadFile(filepath.Join(box.Lower, "etc", name))
		if err != nil {
			return err
		}
		for _, user := range im.users {
			who, number, _ := strings.Cut(user, ":")
			if strings.Contains("\n"+string(text), "\n"+who+":") {
				continue
			}
			line := who + ":x:" + number + ":"
			if name == "passwd" {
				line += number + "::/:/usr/sbin/nologin"
			}
			text = append(text, line+"\n"...)
		}
		if err := writeFile(filepath.Join(upper, "etc", name), string(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func postgresUser() (uid, gid int) {
	text, _ := os.ReadFile(filepath.Join(box.Lower, "etc/passwd"))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "postgres:x:"); ok {
			_, _ = fmt.Sscanf(rest, "%d:%d", &uid, &gid)
		}
	}
	return uid, gid
}

func writeFile(name, text string, mode os.FileMode) error {
	if err := os.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), mode)
}
