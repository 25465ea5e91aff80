// What programs of the host obey by its name alone, beyond what the wall protects in live mode (workspace/protected-names.ts, which counts here
// too). The numbers are those of docs/attacks.md.
import type { NameRule } from './rule.ts'

/** Names hold no blank. */
const words = (text: string): readonly string[] => text.split(' ')

const runs = (id: string, names: readonly string[], reason: string, source: string): NameRule => ({
  id,
  kind: 'runs',
  names,
  reason,
  source,
})

export const nameRules: readonly NameRule[] = [
  runs(
    'package-json',
    words('package.json package.json5 package.yaml'),
    'with npm, pnpm, yarn or bun: scripts and lifecycle hooks',
    'PER-19; npm scripts(7)',
  ),
  runs(
    'package-manager',
    words(
      '.npmrc .yarnrc .yarnrc.yml .pnpmfile.cjs .pnpmfile.mjs pnpm-workspace.yaml bunfig.toml .releaserc .releaserc.* .release-it.json .pypirc .condarc .gemrc Brewfile .yarn/releases .yarn/plugins .yarn/sdks deno.json deno.jsonc lerna.json nx.json turbo.json',
    ),
    'with the next package manager command',
    'PER-19; CVE-2025-59828',
  ),
  runs(
    'make',
    words(
      'Makefile makefile GNUmakefile Makefile.* makefile.* Kbuild Kconfig BSDmakefile *.mk *.mak justfile .justfile *.just Taskfile.yml Taskfile.yaml Taskfile.dist.yml SConstruct SConscript wscript meson.build meson_options.txt meson.options CMakeLists.txt CMakePresets.json CMakeUserPresets.json *.cmake configure.ac configure.in autogen.sh configure Rakefile *.rake Earthfile magefile.go Procfile Procfile.* noxfile.py tasks.py dodo.py fabfile.py pavement.py build.xml build.zig build.sbt project/*.sbt Snakefile Jakefile buildfile build.cake build.sc build.mill /mill build.ninja',
    ),
    'with the next build (make, cmake, just, rake …)',
    'PER-26',
  ),
  runs(
    'bazel',
    words('BUILD BUILD.bazel WORKSPACE WORKSPACE.bazel MODULE.bazel .bazelrc tools/bazel *.bzl .buckconfig BUCK TARGETS'),
    'with the next bazel or buck command',
    'PER-26',
  ),
  runs(
    'container',
    words(
      'Dockerfile Dockerfile.* *.dockerfile Containerfile Containerfile.* compose.yaml compose.yml compose.*.yaml compose.*.yml docker-compose.yml docker-compose.yaml docker-compose.*.yml docker-compose.*.yaml docker-bake.hcl Vagrantfile Tiltfile skaffold.yaml devspace.yaml',
    ),
    'with the next container build or start',
    'PER-28',
  ),
  runs(
    'infrastructure',
    words(
      '*.tf *.tfvars *.tf.json *.hcl *.nix .terraformrc terragrunt.hcl Pulumi.yaml Pulumi.*.yaml ansible.cfg playbook*.yml playbook*.yaml kustomization.yaml Chart.yaml helmfile.yaml serverless.yml serverless.yaml cdk.json samconfig.toml flake.nix default.nix shell.nix flake.lock devbox.json devenv.nix devenv.yaml',
    ),
    'with the next deployment or development shell',
    'PER-18, PER-28',
  ),
  runs(
    'javascript-config',
    words(
      '*.config.js *.config.cjs *.config.mjs *.config.ts *.config.cts *.config.mts .eslintrc .eslintrc.* .prettierrc .prettierrc.* .babelrc .babelrc.* .postcssrc .postcssrc.* .stylelintrc .stylelintrc.* .lintstagedrc .lintstagedrc.* .commitlintrc .commitlintrc.* .mocharc.* .nycrc .c8rc.json .swcrc tsconfig.json tsconfig.*.json jsconfig.json karma.conf.* Gruntfile.* Gulpfile.* gulpfile.* webpack.* *.config.babel.js *.config.json *.conf.js *.conf.ts cypress/support cypress/plugins knexfile.* .sequelizerc ember-cli-build.js .ember-cli .nycrc.json angular.json project.json workspace.json .watchmanconfig jest.setup.* vitest.setup.* vitest.workspace.* .storybook biome.json biome.jsonc .oxlintrc.json',
    ),
    'when an editor, linter, test runner or bundler loads its configuration',
    'PER-21',
  ),
  runs(
    'python',
    words(
      'setup.py setup.cfg pyproject.toml conftest.py sitecustomize.py usercustomize.py *.pth tox.ini pytest.ini .pylintrc pylintrc .flake8 mypy.ini .mypy.ini .coveragerc manage.py .venv venv pip.conf uv.toml hatch_build.py hatch.toml pdm.toml poetry.toml Pipfile environment.yaml docs/conf.py mkdocs.yml .readthedocs.yaml .readthedocs.yml .pythonrc .pythonstartup bin/activate bin/activate.* bin/python bin/python3 pixi.toml environment.yml .ipython .pdbrc',
    ),
    'with python, pip, pytest or an editor that looks for an interpreter',
    'PER-22; GHSA-p9g2-cr55-cw9c',
  ),
  runs(
    'rust',
    words('build.rs Cargo.toml .cargo rust-toolchain rust-toolchain.toml clippy.toml .clippy.toml rustfmt.toml .rustfmt.toml'),
    'with the next cargo command, and when an editor opens the folder',
    'PER-23',
  ),
  runs(
    'go',
    words('go.work tools.go .golangci.yml .golangci.yaml .goreleaser.yml .goreleaser.yaml .air.toml'),
    'with the next go command',
    'PER-24',
  ),
  runs(
    'jvm',
    words(
      'gradlew gradlew.bat mvnw mvnw.cmd gradle-wrapper.jar gradle-wrapper.properties maven-wrapper.jar maven-wrapper.properties build.gradle build.gradle.kts settings.gradle settings.gradle.kts init.gradle gradle.properties pom.xml .mvn buildSrc *.gradle *.gradle.kts project/build.properties .scalafmt.conf .sbtopts .jvmopts',
    ),
    'with the next Gradle, Maven or sbt command, and when an editor opens the folder',
    'PER-25',
  ),
  runs(
    'ruby-php-others',
    words(
      'Gemfile *.gemspec .bundle/config Gemfile.local .rspec-local config/boot.rb composer.local.json phpunit.xml phpunit.xml.dist .php-cs-fixer.php .php-cs-fixer.dist.php artisan .user.ini .htaccess web.config project.clj deps.edn shadow-cljs.edn bb.edn .ghci .iex.exs .formatter.exs .credo.exs .erlang dune cabal.project Setup.hs hie.yaml LocalPreferences.toml .luacheckrc omnisharp.json .rspec Guardfile Capfile Fastfile Podfile Cartfile Package.swift composer.json mix.exs rebar.config dune-project stack.yaml *.cabal Project.toml .Rprofile .Renviron *.csproj *.fsproj *.vbproj *.vcxproj *.sln *.props *.targets nuget.config global.json pubspec.yaml .clangd .ccls compile_commands.json .luarc.json .irbrc .pryrc',
    ),
    'with the next build, test or package command of its language',
    'PER-26',
  ),
  runs(
    'editor-files',
    words(
      '.editorconfig .vim .nvim .emacs .emacs.d .zed .helix *.sublime-build .run .vimrc.local .project .classpath .settings nbproject *.iml *.xcscheme *.pbxproj .ycm_extra_conf.py .lvimrc .projectile .netrwhist',
    ),
    'when an editor opens the folder',
    'PER-12, PER-13',
  ),
  runs(
    'tool-versions',
    words(
      '.tool-versions .nvmrc .node-version .python-version .ruby-version .java-version .sdkmanrc mise .mise .prototools rtx.toml .rtx.toml devshell.toml .envrc.* .envrc.d .direnv volta.json .asdfrc',
    ),
    'when a shell or version manager enters the folder',
    'PER-18',
  ),
  runs(
    'environment',
    words('.env .env.* *.env .flaskenv'),
    'when a program, shell or editor loads the environment of the folder',
    'PER-18; CVE-2025-61260',
  ),
  runs(
    'git-attributes',
    words('.gitattributes .lfsconfig .gitconfig .git-blame-ignore-revs .mailmap'),
    'with git: attributes choose filters and drivers',
    'PER-05; CVE-2021-21300',
  ),
  runs('submodules', words('.gitmodules'), 'with the next git submodule command', 'PER-08; CVE-2025-48384'),
  runs(
    'forge',
    words(
      'CODEOWNERS Jenkinsfile.* *.gitlab-ci.yml *.gitlab-ci.yaml .pre-commit-config.yaml .huskyrc .huskyrc.* .simple-git-hooks.json Dangerfile dangerfile.* .github .gitlab .gitlab-ci .gitea .forgejo renovate.json renovate.json5 .renovaterc .renovaterc.json dependabot.yml cloudbuild.yaml appveyor.yml .appveyor.yml netlify.toml vercel.json wrangler.toml wrangler.jsonc fly.toml render.yaml app.yaml .semaphore .cirrus.yml .teamcity action.yml action.yaml codecov.yml sonar-project.properties',
    ),
    'on the forge or its services after the next push',
    'PER-29',
  ),
  runs(
    'agent-instructions',
    words(
      'CLAUDE.md CLAUDE.local.md AGENTS.md AGENT.md GEMINI.md QWEN.md CONVENTIONS.md .cursorrules .cursorignore .windsurfrules .clinerules .goosehints .rules copilot-instructions.md .instructions.md *.instructions.md *.mdc SKILL.md .claude .agents .aider* .junie .github/instructions .github/prompts .github/chatmodes .trae .factory .amp .goose .warp llms.txt',
    ),
    'instructs the agents that work here next',
    'PER-17',
  ),
  runs(
    'desktop',
    words(
      '*.desktop *.lnk *.url *.webloc desktop.ini autorun.inf .DS_Store *.command *.workflow *.scpt *.docm *.xlsm *.pptm *.xlam *.reg *.bat *.cmd *.ps1 *.psm1 *.vbs *.hta *.msi *.scr *.plist *.service *.timer *.socket *.path *.automount *.mount',
    ),
    'when it is opened or clicked',
    'PER-30',
  ),
  runs(
    'dotfiles',
    words(
      '.bashrc .bash_profile .zshrc .zshenv .profile .inputrc .tmux.conf .gdbinit .lldbinit .psqlrc .ripgreprc .vimrc .exrc .gitignore_global .config .local/bin .ssh .gnupg .aws .kube .docker crontab *.crontab cron.d fish/conf.d fish/config.fish',
    ),
    'when a shell or tool starts, where it reads the folder',
    'PER-27',
  ),
  runs('version-control', words('.hg .hgrc .svn .jj .sl .bzr .fossil-settings'), 'with every command of that version control', 'PER-10'),
  runs(
    'planted-program',
    words('/bin node_modules/.bin /git /node /python /python3 /sh /bash /make /npm /npx /cargo /go /rg /code /ld.so'),
    'when a program of that name is looked for in the folder',
    'PER-31',
  ),
  runs(
    'native-code',
    words(
      '*.so *.so.* *.dylib *.dll *.exe *.node *.wasm *.jar *.war *.class *.pyc *.pyd *.o *.a *.ko *.deb *.rpm *.apk *.dmg *.pkg *.whl *.gem *.crate *.vsix *.AppImage',
    ),
    'when it is loaded or installed: code that cannot be read here',
    'TRM-13',
  ),
  {
    id: 'dependency-folder',
    kind: 'supply-chain',
    names: words(
      'node_modules .venv venv site-packages vendor third_party bower_components jspm_packages .pnpm-store .yarn/cache Pods Carthage deps/*/ebin',
    ),
    reason: 'a dependency on disk was changed: no lockfile speaks for it',
    source: 'PER-20; GHSA-p9g2-cr55-cw9c',
  },
  {
    id: 'build-output',
    kind: 'supply-chain',
    names: words('dist target/debug target/release .next .nuxt .svelte-kit __pycache__ .gradle .terraform'),
    reason: 'build output was changed: nobody reads it, and it is run or published',
    source: 'PER-20, TRM-17',
  },
]
