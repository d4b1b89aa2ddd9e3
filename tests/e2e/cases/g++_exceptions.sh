# SPDX-License-Identifier: Apache-2.0
# needs: g++
# timeout: 120
cat > a.cc <<'E'
#include <iostream>
#include <map>
#include <thread>
#include <vector>
#include <stdexcept>
#include <future>
#include <fstream>
struct D { ~D() { std::cout << "unwound\n"; } };
static void deep(int n) { D d; if (n == 0) throw std::runtime_error("deep"); deep(n - 1); }
int main() {
    try { deep(3); } catch (const std::exception &e) { std::cout << e.what() << "\n"; }
    std::vector<std::thread> t; std::map<int, int> m; std::mutex mu;
    for (int i = 0; i < 8; i++) t.emplace_back([&, i] { for (int k = 0; k < 100; k++) { std::lock_guard<std::mutex> g(mu); m[i * k]++; } });
    for (auto &x : t) x.join();
    std::cout << m.size() << " " << std::async(std::launch::async, [] { return 6 * 7; }).get() << "\n";
    std::ofstream("o") << "text\n"; std::string s; std::ifstream("o") >> s; std::cout << s << "\n"; thread_local int tl = 5; std::cout << tl << "\n";
}
E
g++ -O1 -pthread a.cc -o a && ./a; echo "status $?"; g++ -static -O1 -pthread a.cc -o b && ./b | tail -1
