# SPDX-License-Identifier: Apache-2.0
# needs: git
# timeout: 120
# A repository made, cloned, changed, merged, packed.
export HOME=$PWD GIT_AUTHOR_DATE='2001-01-01T00:00:00Z' GIT_COMMITTER_DATE='2001-01-01T00:00:00Z'
git config --global user.email t@example.org; git config --global user.name T; git config --global init.defaultBranch main; git config --global advice.detachedHead false
mkdir r; cd r; git init -q; for i in $(seq 1 30); do seq $i 200 > f$i; git add f$i; git commit -qm "c$i"; done
git log --oneline | wc -l; git rev-parse HEAD; cd ..
git clone -q r c; cd c; git rev-parse HEAD; git status --short | wc -l
git checkout -qb b; echo change >> f1; git commit -qam change; git checkout -q main; echo other >> f2; git commit -qam other
git merge -q b -m merge; git log --graph --oneline | wc -l; git diff HEAD~1 --stat | tail -1
git push -q origin b; git -C ../r branch | tr -d ' *'; git gc -q; git fsck --no-progress 2>&1 | wc -l; git count-objects -v | grep packs
git stash list; echo x >> f3; git stash -q; git stash pop -q; git diff --name-only; git grep -c 150 | wc -l
git clone -q --no-local --depth 1 "file://$PWD/../r" s; git -C s log --oneline | wc -l; git archive HEAD | tar tf - | wc -l
git blame f1 | tail -1 | cut -c1-8 | wc -c; git bisect start HEAD HEAD~5 > /dev/null 2>&1; git bisect reset > /dev/null 2>&1; git log -1 --format=%s
