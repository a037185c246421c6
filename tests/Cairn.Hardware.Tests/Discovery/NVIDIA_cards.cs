using System.Diagnostics;
using Cairn.Hardware.Discovery;

namespace Cairn.Hardware.Tests.Discovery;

/// <summary>
/// Against a shared library that a C compiler builds here: it answers as NVIDIA's does, with two cards, one of them cut into instances.
/// </summary>
public sealed class NVIDIA_cards
{
    private const string FakeLibrary = """
        #include <string.h>
        #include <stdio.h>
        typedef struct { unsigned long long total, free, used; } mem_t;
        typedef struct { char legacy[16]; unsigned domain, bus, device, id, sub; char bus_id[32]; } pci_t;
        int nvmlInit_v2(void) { return FAIL_INIT; }
        int nvmlShutdown(void) { return 0; }
        int nvmlSystemGetDriverVersion(char *s, unsigned n) { strncpy(s, "570.00", n); return 0; }
        int nvmlDeviceGetCount_v2(unsigned *n) { *n = 3; return 0; }
        int nvmlDeviceGetHandleByIndex_v2(unsigned i, void **d) { if (i == 2) return 15; *d = (void *)(long)(100 + i); return 0; }
        int nvmlDeviceGetName(void *d, char *s, unsigned n) {
          long i = (long)d;
          strncpy(s, i == 100 ? "NVIDIA H100 80GB HBM3" : i == 101 ? "NVIDIA Unheard Of" : "NVIDIA Unheard Of MIG 1g.10gb", n); return 0; }
        int nvmlDeviceGetUUID(void *d, char *s, unsigned n) { snprintf(s, n, "%s-%ld", (long)d < 200 ? "GPU" : "MIG", (long)d); return 0; }
        int nvmlDeviceGetMemoryInfo(void *d, mem_t *m) { m->total = (long)d < 200 ? 85520809984ULL : 10200547328ULL; m->free = m->used = 0; return 0; }
        int nvmlDeviceGetPciInfo_v3(void *d, pci_t *p) { memset(p, 0, sizeof *p); p->id = 0x20b210deu; return 0; }
        int nvmlDeviceGetMigMode(void *d, unsigned *now, unsigned *next) { *now = *next = (long)d == 101; return 0; }
        int nvmlDeviceGetMaxMigDeviceCount(void *d, unsigned *n) { *n = 7; return 0; }
        int nvmlDeviceGetMigDeviceHandleByIndex(void *d, unsigned i, void **h) { if (i > 1) return 6; *h = (void *)(long)(200 + i); return 0; }
        """;

    [Fact]
    public void Are_found_with_their_memory_and_an_instance_is_not_taken_for_its_card()
    {
        using var machine = new FakeMachine();
        var devices = new MachineDiscovery(machine.Root, Compile(machine, FakeLibrary.Replace("FAIL_INIT", "0"))).Discover(machine.Root).Devices;
        Assert.Equal(["H100-SXM-80GB", "MIG-A100-80GB-1G.10GB", "MIG-A100-80GB-1G.10GB"], devices.Select(device => device.Name));
        Assert.Equal([85_520_809_984, 10_200_547_328, 10_200_547_328], devices.Select(device => device.MemoryBytes));
        Assert.Equal(["GPU-100", "MIG-200", "MIG-201"], devices.Select(device => device.Uuid));
        Assert.All(devices, device => Assert.Equal(("nvidia", "570.00"), (device.Vendor, device.DriverVersion)));
    }

    [Fact]
    public void Are_absent_where_the_library_cannot_start()
    {
        using var machine = new FakeMachine();
        Assert.Empty(new MachineDiscovery(machine.Root, Compile(machine, FakeLibrary.Replace("FAIL_INIT", "9"))).Discover(machine.Root).Devices);
    }

    [Fact]
    public void Are_absent_where_the_library_is_another()
    {
        using var machine = new FakeMachine();
        Assert.Empty(new MachineDiscovery(machine.Root, Compile(machine, "int unrelated(void) { return 1; }")).Discover(machine.Root).Devices);
    }

    [Fact]
    public void Of_this_machine_are_known_by_name()
    {
        Assert.SkipUnless(File.Exists("/dev/nvidiactl"), "This machine has no NVIDIA driver (/dev/nvidiactl).");
        var devices = new MachineDiscovery().Discover("/").Devices.Where(device => device.Vendor == "nvidia").ToList();
        Assert.NotEmpty(devices);
        Assert.All(devices, device =>
        {
            TestContext.Current.TestOutputHelper!.WriteLine(device.ToString());
            Assert.NotEmpty(device.DriverVersion);
            Assert.NotEmpty(device.Uuid);
            Assert.True(device.MemoryBytes > 1L << 30);
            Assert.True(device.Name.StartsWith("MIG-", StringComparison.Ordinal)
                || Hardware.Facts.Accelerators.Find(device.Name)?.Name == device.Name, device.Name);
        });
    }

    private static string Compile(FakeMachine machine, string source)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/cc"), "No C compiler (/usr/bin/cc) to build the stand-in for NVIDIA's library.");
        var code = Path.Combine(machine.Root, "fake.c");
        var library = Path.Combine(machine.Root, "libfake-nvml.so");
        File.WriteAllText(code, source);
        using var compiler = Process.Start("/usr/bin/cc", ["-shared", "-fPIC", "-o", library, code]);
        compiler.WaitForExit();
        Assert.Equal(0, compiler.ExitCode);
        return library;
    }
}
