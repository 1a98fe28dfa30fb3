#include "daemon/earthfile/docker_script.h"

#include "daemon/earthfile/shell_quote.h"

namespace ingot::earthfile {

namespace {

// For the shells of busybox, dash and bash alike. Its variables are all `ingot_`: the command sees none of them, since
// none is exported.
constexpr const char* kBeginning = R"sh(
ingot_fail() { echo "WITH DOCKER: $*" >&2; exit 125; }
ingot_end() {
  [ -z "$ingot_composed" ] || ingot_compose down -v >/dev/null 2>&1
  if [ "$ingot_engine" = podman ]; then podman rm -f -a >/dev/null 2>&1; podman umount -a >/dev/null 2>&1; fi
  [ -z "$ingot_engine_pid" ] || { kill $ingot_engine_pid; wait $ingot_engine_pid; } 2>/dev/null
  rm -f /var/run/docker.sock
  [ -z "$ingot_policy" ] || rm -f /etc/containers/policy.json
  # dockerd mounts its directory on itself.
  [ $ingot_keeps = yes ] || { umount $ingot_store/docker; rm -rf $ingot_store/podman $ingot_store/docker; } 2>/dev/null
}
trap ingot_end EXIT
ingot_wait() {
  ingot_left=600
  until "$@" >/dev/null 2>&1; do
    ingot_left=$((ingot_left - 1))
    if [ $ingot_left -eq 0 ] || ! kill -0 $ingot_engine_pid 2>/dev/null; then
      cat $ingot_run/engine.log >&2
      ingot_fail "$ingot_engine does not start in this image"
    fi
    sleep 0.1
  done
}
[ "$(id -u)" = 0 ] || ingot_fail "the user must be root here: write USER root before it"
if command -v podman >/dev/null; then ingot_engine=podman
elif command -v dockerd >/dev/null; then ingot_engine=dockerd
else ingot_fail "the image has neither podman nor docker: install one of them, such as RUN apt-get install -y podman"
fi
mkdir -p $ingot_run/bin /var/run /var/tmp
if [ $ingot_engine = podman ]; then
  printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/podman"\nrunroot = "%s/podman"\n' $ingot_store $ingot_run \
    >$ingot_run/storage.conf
  export CONTAINERS_STORAGE_CONF=$ingot_run/storage.conf
  ingot_net=
  for ingot_file in /usr/lib/podman/netavark /usr/libexec/podman/netavark /usr/lib/cni/bridge /opt/cni/bin/bridge; do
    [ -x $ingot_file ] && ingot_net=bridge
  done
  if [ -z "$CONTAINERS_CONF" ] && [ ! -e /etc/containers/containers.conf ]; then
    export CONTAINERS_CONF=$ingot_run/containers.conf
    printf '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\ntmp_dir = "%s"\n' \
      $ingot_run >$CONTAINERS_CONF
    [ -n "$ingot_net" ] || printf '[containers]\nnetns = "host"\n' >>$CONTAINERS_CONF
  fi
  # Without any policy podman takes no image at all, not even what it is given here.
  if [ ! -e /etc/containers/policy.json ] && [ ! -e "$HOME/.config/containers/policy.json" ]; then
    mkdir -p /etc/containers
    echo '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
    ingot_policy=made
  fi
  podman system service --time=0 unix:///var/run/docker.sock >$ingot_run/engine.log 2>&1 &
  ingot_engine_pid=$!
  ingot_wait [ -S /var/run/docker.sock ]
  if ! command -v docker >/dev/null; then
    printf '#!/bin/sh\nexec podman "$@"\n' >$ingot_run/bin/docker
    chmod +x $ingot_run/bin/docker
    export PATH="$PATH:$ingot_run/bin"
  fi
else
  dockerd --data-root $ingot_store/docker --exec-root $ingot_run/docker --pidfile $ingot_run/docker.pid \
    --host unix:///var/run/docker.sock >$ingot_run/engine.log 2>&1 &
  ingot_engine_pid=$!
  ingot_wait docker --host unix:///var/run/docker.sock info
fi
export DOCKER_HOST=unix:///var/run/docker.sock
ingot_number=0
for ingot_name in "$@"; do
  ingot_number=$((ingot_number + 1))
  if [ $ingot_engine = podman ]; then
    ingot_image=localhost$ingot_images/$ingot_number:latest  # the name that podman gives it
    podman load -q -i $ingot_images/$ingot_number && podman tag $ingot_image "$ingot_name" &&
      podman untag $ingot_image $ingot_image
  else
    tar -C $ingot_images/$ingot_number -cf - . | docker load -q
  fi >$ingot_run/load.log 2>&1 || { cat $ingot_run/load.log >&2; ingot_fail "image $ingot_name cannot be loaded"; }
done
)sh";

// INGOT_FILES: the flags that name the files.
constexpr const char* kCompose = R"sh(ingot_compose() {
  if docker compose version >/dev/null 2>&1; then docker compose INGOT_FILES "$@"
  elif command -v docker-compose >/dev/null; then docker-compose INGOT_FILES "$@"
  elif command -v podman-compose >/dev/null; then podman-compose INGOT_FILES "$@"
  else ingot_fail "there is no docker compose, docker-compose or podman-compose here, which --compose needs"
  fi
}
)sh";

// The engine is the user's own, where others may run services of the same files: these have a name of their own. What
// was begun is ended however this shell ends: a guard in a session of its own sees to that. Who has podman alone may
// still say docker.
constexpr const char* kLocalBeginning = R"sh(
ingot_fail() { echo "WITH DOCKER: $*" >&2; exit 125; }
ingot_own=$(mktemp -d) || ingot_fail "there is no room for a directory"
export ingot_own COMPOSE_PROJECT_NAME="ingot-$$-$(date +%s)"
trap '/bin/sh -c "$ingot_after"' EXIT
trap 'exit 143' TERM HUP
if ! command -v docker >/dev/null; then
  command -v podman >/dev/null || ingot_fail "neither docker nor podman is on your side"
  printf '#!/bin/sh\nexec podman "$@"\n' >"$ingot_own/docker"
  chmod +x "$ingot_own/docker"
  export PATH="$PATH:$ingot_own"
fi
setsid /bin/sh -c "while kill -0 $$ 2>/dev/null; do sleep 1; done; [ ! -d \"\$ingot_own\" ] || { $ingot_after }" \
  >/dev/null 2>&1 </dev/null &
)sh";

std::string assignment(const std::string& name, const std::string& value) {
  return name + "=" + shell_quoted({value}) + "\n";
}

std::string compose_with(const std::vector<std::string>& files) {
  std::vector<std::string> flags;
  for (const auto& file : files) flags.insert(flags.end(), {"-f", file});
  std::string text = kCompose;
  const std::string place = "INGOT_FILES";
  const std::string words = shell_quoted(flags);
  for (std::size_t at = text.find(place); at != std::string::npos; at = text.find(place, at + words.size())) {
    text.replace(at, place.size(), words);
  }
  return text;
}

std::string up(const DockerScript& script) {
  return "ingot_compose up -d " + shell_quoted(script.services) + " || ingot_fail \"the services do not start\"\n";
}

}  // namespace

std::string docker_script(const DockerScript& script) {
  std::string text = assignment("ingot_run", kDockerRun) + assignment("ingot_store", kDockerStore) +
                     assignment("ingot_images", kDockerImages) +
                     assignment("ingot_keeps", script.keeps_store ? "yes" : "no");
  if (!script.images.empty()) text += "set -- " + shell_quoted(script.images) + "\n";
  // What a step that was ended left is in nobody's way.
  if (!script.keeps_store) text += "rm -rf $ingot_store/podman $ingot_store/docker\n";
  text += kBeginning + compose_with(script.compose_files);
  if (!script.compose_files.empty()) text += "ingot_composed=yes\n" + up(script);
  return text + "/bin/sh -c " + shell_quoted({script.command}) + "\n";
}

std::string local_docker_script(const DockerScript& script) {
  const bool composes = !script.compose_files.empty();
  std::string after = "rm -rf \"$ingot_own\"\n";
  if (composes) after = compose_with(script.compose_files) + "ingot_compose down -v >/dev/null 2>&1\n" + after;
  std::string text = assignment("ingot_after", after) + kLocalBeginning;
  for (const auto& image : script.pulled) {
    std::vector<std::string> words = {"docker", "pull", "-q"};
    if (!script.platform.empty()) words.insert(words.end(), {"--platform", script.platform});
    words.push_back(image);
    text += shell_quoted(words) + " >/dev/null || ingot_fail " +
            shell_quoted({"image " + image + " cannot be pulled"}) + "\n";
  }
  if (composes) text += compose_with(script.compose_files) + up(script);
  // Not the last command: for that a shell may put itself aside, and its trap with it.
  return text + "/bin/sh -c " + shell_quoted({script.command}) + "\nexit $?\n";
}

}  // namespace ingot::earthfile
