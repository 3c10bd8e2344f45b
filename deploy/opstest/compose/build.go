package compose

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/types"

	"qcat/deploy/opstest/box"
)

// qcatUser is the user of QCAT's image, which its Dockerfile makes.
const qcatUser = 10001

// imageOf is a service's image; one that is built is built where it is not there yet.
func (e *Engine) imageOf(p *types.Project, s types.ServiceConfig) (image, error) {
	if s.Build == nil {
		return pulled(s.Image)
	}
	e.mu.Lock()
	im, ok := e.built[imageName(p, s)]
	e.mu.Unlock()
	if ok {
		return im, nil
	}
	return e.build(p, s)
}

func imageName(p *types.Project, s types.ServiceConfig) string {
	return orElse(s.Image, p.Name+"-"+s.Name)
}

// build does what the Dockerfile does: make install into the image's root, its user, the
// owners of its folders. How the image is run is read from the Dockerfile itself.
func (e *Engine) build(p *types.Project, s types.ServiceConfig) (image, error) {
	file := filepath.Join(s.Build.Context, orElse(s.Build.Dockerfile, "Dockerfile"))
	im, err := readDockerfile(file)
	if err != nil {
		return image{}, err
	}
	e.mu.Lock()
	e.builds++
	number := e.builds
	e.mu.Unlock()
	im.id = fmt.Sprintf("%s#%d", imageName(p, s), number)
	im.tree = filepath.Join(box.Store, "images", fmt.Sprint(number))
	im.users = []string{fmt.Sprintf("qcat:%d", qcatUser)}
	im.plain = []string{"/usr/bin/ping"}
	for _, dir := range []string{"/app/data", "/app/logs", "/app/backups"} {
		im.folders = append(im.folders, folder{dir, qcatUser, qcatUser, 0o755})
	}
	args := []string{"install", "DESTDIR=" + im.tree, "PREFIX=/app"}
	if v := s.Build.Args["VERSION"]; v != nil && *v != "" {
		args = append(args, "VERSION="+*v)
	}
	make := exec.Command("make", args...)
	make.Dir = s.Build.Context
	make.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=")
	if out, err := make.CombinedOutput(); err != nil {
		return image{}, fmt.Errorf("make install: %w\n%s", err, out)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.built[imageName(p, s)] = im
	return im, nil
}

// buildAll builds the images of services, each once.
func (e *Engine) buildAll(p *types.Project, named []string, out io.Writer) error {
	names, err := wanted(p, named, false)
	if err != nil {
		return err
	}
	done := map[string]bool{}
	for _, name := range names {
		s := p.Services[name]
		if s.Build == nil || done[imageName(p, s)] {
			continue
		}
		done[imageName(p, s)] = true
		im, err := e.build(p, s)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s  Built\n", im.id)
	}
	return nil
}
