using Cairn.Contracts.Wire;
using Cairn.Hardware.Discovery;

namespace Cairn.Hardware.Tests.Discovery;

public sealed class Discovery_of_a_machine
{
    private static Inventory Discover(FakeMachine machine) =>
        new MachineDiscovery(machine.Root, "libno-such-library.so.1").Discover(machine.Root);

    [Fact]
    public void Finds_processors_memory_and_disk()
    {
        using var machine = new FakeMachine(cpus: 6).Write("etc/os-release", "ID=test\nPRETTY_NAME=\"Test Linux 1\"\n").Write("proc/sys/kernel/hostname", "box\n");
        var found = Discover(machine);
        Assert.Equal((6, 32L << 30, "Test CPU 9000"), (found.Cpus, found.MemoryBytes, found.CpuModel));
        Assert.Equal(["sse4_2", "avx", "avx2", "fma", "avx512f", "amx"], found.CpuFeatures);
        Assert.Equal(("Test Linux 1", "box"), (found.OperatingSystem, found.Hostname));
        Assert.True(found.DiskBytes > 0);
        Assert.Empty(found.Devices);
    }

    [Fact]
    public void Names_an_Arm_core_by_its_part()
    {
        using var machine = new FakeMachine().Write("proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd asimddp sve\nCPU part\t: 0xd40\n");
        var found = Discover(machine);
        Assert.Equal("Neoverse-V1", found.CpuModel);
        Assert.Equal(["neon", "neon_dotprod", "sve"], found.CpuFeatures);
    }

    [Fact]
    public void Keeps_to_the_affinity_mask()
    {
        using var machine = new FakeMachine(cpus: 8).Write("proc/self/status", "Cpus_allowed_list:\t2-3,6\n");
        Assert.Equal(3, Discover(machine).Cpus);
    }

    [Fact]
    public void Keeps_to_the_smallest_limit_of_nested_groups_in_version_2()
    {
        using var machine = new FakeMachine().WithCgroup2("/pods/task/inner")
            .Write("sys/fs/cgroup/pods/memory.max", $"{4L << 30}\n").Write("sys/fs/cgroup/pods/cpu.max", "max 100000\n")
            .Write("sys/fs/cgroup/pods/task/memory.max", "max\n").Write("sys/fs/cgroup/pods/task/cpu.max", "250000 100000\n")
            .Write("sys/fs/cgroup/pods/task/inner/memory.max",
                $"{6L << 30}\n").Write("sys/fs/cgroup/pods/task/inner/cpu.max", "400000 100000\n");
        var found = Discover(machine);
        Assert.Equal((2.5, 4L << 30), (found.Cpus, found.MemoryBytes));
    }

    [Fact]
    public void Reads_the_top_of_a_containers_own_version_2_tree()
    {
        using var machine = new FakeMachine().WithCgroup2("/").Write("sys/fs/cgroup/memory.max",
            $"{2L << 30}\n").Write("sys/fs/cgroup/cpu.max", "50000 100000\n")
            .Write("sys/fs/cgroup/cpuset.cpus.effective", "0-3\n");
        var found = Discover(machine);
        Assert.Equal((0.5, 2L << 30), (found.Cpus, found.MemoryBytes));
    }

    [Fact]
    public void Keeps_to_limits_in_version_1()
    {
        using var machine = new FakeMachine().WithCgroup1("/jobs/a")
            .Write("sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", $"{3L << 30}\n")
            .Write("sys/fs/cgroup/memory/jobs/a/memory.limit_in_bytes", "9223372036854771712\n")
            .Write("sys/fs/cgroup/cpu,cpuacct/jobs/a/cpu.cfs_quota_us", "150000\n").Write("sys/fs/cgroup/cpu,cpuacct/jobs/a/cpu.cfs_period_us", "100000\n")
            .Write("sys/fs/cgroup/cpuset/jobs/a/cpuset.cpus", "0-1\n");
        var found = Discover(machine);
        Assert.Equal((1.5, 3L << 30), (found.Cpus, found.MemoryBytes));
    }

    [Fact]
    public void Finds_its_group_in_a_container_of_version_1_that_mounts_only_its_own()
    {
        using var machine = new FakeMachine().WithCgroup1("/docker/abc", mountRoot: "/docker/abc")
            .Write("sys/fs/cgroup/memory/memory.limit_in_bytes", $"{1L << 30}\n")
            .Write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n").Write("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
            .Write("sys/fs/cgroup/cpuset/cpuset.cpus", "4-5\n");
        var found = Discover(machine);
        Assert.Equal((2, 1L << 30), (found.Cpus, found.MemoryBytes));
    }

    [Fact]
    public void Takes_the_machines_figures_where_no_group_limits()
    {
        using var machine = new FakeMachine().WithCgroup1("/");
        Assert.Equal((8, 32L << 30), (Discover(machine).Cpus, Discover(machine).MemoryBytes));
    }

    [Fact]
    public void Finds_AMD_cards_and_not_their_connectors()
    {
        using var machine = new FakeMachine().Write("sys/module/amdgpu/version", "6.10.5\n")
            .WithAmdCard(0, "0x74a1", 205_822_885_888, "abc1").WithAmdCard(1, "0x740f", 68_702_699_520, "abc2").WithAmdCard(2, "0x9999", 16L << 30, "abc3", "AMD Radeon Test");
        var devices = Discover(machine).Devices;
        Assert.Equal(["MI300X", "MI210", "AMD-RADEON-TEST"], devices.Select(device => device.Name));
        Assert.Equal([0, 1, 2], devices.Select(device => device.Index));
        Assert.All(devices, device => Assert.Equal(("amd", "6.10.5", false), (device.Vendor, device.DriverVersion, device.Simulated)));
        Assert.Equal((205_822_885_888, "abc1"), (devices[0].MemoryBytes, devices[0].Uuid));
    }

    [Fact]
    public void Takes_a_card_of_another_maker_for_none()
    {
        using var machine = new FakeMachine().Write("sys/class/drm/card0/device/vendor", "0x8086\n").Write("sys/class/drm/card0/device/mem_info_vram_total", "1000000\n");
        Assert.Empty(Discover(machine).Devices);
    }

    [Theory]
    [InlineData(64_350_000L, "JETSON-AGX-ORIN-64GB")]
    [InlineData(31_350_000L, "JETSON-AGX-ORIN-32GB")]
    public void Tells_a_Jetson_by_its_board_and_memory(long kibibytes, string name)
    {
        using var machine = new FakeMachine(memoryKibibytes: kibibytes).Write("proc/device-tree/model", "NVIDIA Jetson AGX Orin Developer Kit\0");
        var device = Assert.Single(Discover(machine).Devices);
        Assert.Equal((name, kibibytes * 1024), (device.Name, device.MemoryBytes));
    }

    [Fact]
    public void Puts_declared_devices_behind_those_it_found()
    {
        using var machine = new FakeMachine().WithAmdCard(0, "0x74a1", 205_822_885_888, "abc1");
        var devices = new MachineDiscovery(machine.Root, "libno-such-library.so.1").Discover(machine.Root, DeclaredDevices.Parse("H100:2")).Devices;
        Assert.Equal([("MI300X", 0, false), ("H100-SXM-80GB", 1, true), ("H100-SXM-80GB", 2, true)], devices.Select(d => (d.Name, d.Index, d.Simulated)));
    }

    [Fact]
    public void Says_something_sensible_of_the_machine_it_runs_on()
    {
        var found = new MachineDiscovery().Discover(Path.GetTempPath());
        Assert.InRange(found.Cpus, 0.1, 4096);
        Assert.InRange(found.MemoryBytes, 64L << 20, 1L << 46);
        Assert.NotEmpty(found.CpuModel);
        Assert.NotEmpty(found.CpuFeatures);
        Assert.Contains(found.Architecture, new[] { "x64", "arm64" });
        Assert.InRange(found.DiskBytes, 1, 1L << 56);
        Assert.All(found.Devices, device => Assert.NotEmpty(device.Name));
    }

    [Fact]
    public void Survives_files_full_of_nonsense()
    {
        using var machine = new FakeMachine().Write("proc/cpuinfo", "\0\u0001:::\nprocessor: x\n").Write("proc/meminfo", "MemTotal: lots\n").Write("proc/self/status", "Cpus_allowed_list:\t9-1,,\n")
            .Write("proc/self/cgroup", "0\n::\n0::../..\n0::/../../etc\n").Write("proc/self/mountinfo", "1 2 - cgroup2\n30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n").Write("sys/fs/cgroup/cpu.max", "a b c\n");
        var found = Discover(machine);
        Assert.Equal((1, 0), (found.Cpus, found.MemoryBytes));
    }
}
