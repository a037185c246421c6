using System.Runtime.InteropServices;
using System.Text;

namespace Cairn.Hardware.Discovery;

/// <summary>
/// NVIDIA Management Library, loaded at run time so that machines without a driver need nothing. The functions are NVML's C API (NVML API
/// Reference Guide, "Device Queries"); each returns 0 on success, and what is not supported reads as absent.
/// </summary>
internal sealed unsafe class Nvml : IDisposable
{
    private const int MaxInstances = 64;

    private readonly nint _library;

    private Nvml(nint library) => _library = library;

    /// <returns>Null where the library is missing or cannot start, as without a driver.</returns>
    public static Nvml? TryOpen(string library)
    {
        if (!NativeLibrary.TryLoad(library, out var handle))
            return null;
        var nvml = new Nvml(handle);
        if (nvml.Export("nvmlInit_v2") is var init and not 0 && ((delegate* unmanaged[Cdecl]<int>)init)() == 0)
            return nvml;
        NativeLibrary.Free(handle);
        return null;
    }

    public uint DeviceCount()
    {
        uint count = 0;
        var get = (delegate* unmanaged[Cdecl]<uint*, int>)Export("nvmlDeviceGetCount_v2");
        return get is not null && get(&count) == 0 ? count : 0;
    }

    public nint? Device(uint index)
    {
        nint device = 0;
        var get = (delegate* unmanaged[Cdecl]<uint, nint*, int>)Export("nvmlDeviceGetHandleByIndex_v2");
        return get is not null && get(index, &device) == 0 ? device : null;
    }

    public string DriverVersion()
    {
        var text = stackalloc byte[96];
        var get = (delegate* unmanaged[Cdecl]<byte*, uint, int>)Export("nvmlSystemGetDriverVersion");
        return get is not null && get(text, 95) == 0 ? Text(text, 96) : "";
    }

    public string Name(nint device) => DeviceText("nvmlDeviceGetName", device);

    public string Uuid(nint device) => DeviceText("nvmlDeviceGetUUID", device);

    /// <summary>Total bytes; 0 where the device has none of its own.</summary>
    public long MemoryBytes(nint device)
    {
        MemoryInfo memory;
        var get = (delegate* unmanaged[Cdecl]<nint, MemoryInfo*, int>)Export("nvmlDeviceGetMemoryInfo");
        return get is not null && get(device, &memory) == 0 ? (long)memory.Total : 0;
    }

    /// <summary><c>10de:2330</c>, as the accelerator table has it.</summary>
    public string? PciId(nint device)
    {
        PciInfo info;
        var get = (delegate* unmanaged[Cdecl]<nint, PciInfo*, int>)Export("nvmlDeviceGetPciInfo_v3");
        return get is not null && get(device, &info) == 0 ? $"{info.DeviceId & 0xffff:x4}:{info.DeviceId >> 16:x4}" : null;
    }

    /// <summary>The instances that the card is cut into; empty where it is whole or cannot be cut.</summary>
    public IReadOnlyList<nint> MigInstances(nint device)
    {
        uint current, pending, most;
        var mode = (delegate* unmanaged[Cdecl]<nint, uint*, uint*, int>)Export("nvmlDeviceGetMigMode");
        var count = (delegate* unmanaged[Cdecl]<nint, uint*, int>)Export("nvmlDeviceGetMaxMigDeviceCount");
        var get = (delegate* unmanaged[Cdecl]<nint, uint, nint*, int>)Export("nvmlDeviceGetMigDeviceHandleByIndex");
        if (mode is null || count is null || get is null || mode(device, &current, &pending) != 0 || current != 1
            || count(device, &most) != 0)
            return [];
        var instances = new List<nint>();
        for (var i = 0u; i < Math.Min(most, MaxInstances); i++)
        {
            nint instance;
            if (get(device, i, &instance) == 0)
                instances.Add(instance);
        }

        return instances;
    }

    public void Dispose()
    {
        var shutdown = (delegate* unmanaged[Cdecl]<int>)Export("nvmlShutdown");
        if (shutdown is not null)
            _ = shutdown();
        NativeLibrary.Free(_library);
    }

    private string DeviceText(string function, nint device)
    {
        var text = stackalloc byte[128];
        var get = (delegate* unmanaged[Cdecl]<nint, byte*, uint, int>)Export(function);
        return get is not null && get(device, text, 127) == 0 ? Text(text, 128) : "";
    }

    private nint Export(string function) => NativeLibrary.TryGetExport(_library, function, out var address) ? address : 0;

    private static string Text(byte* text, int capacity)
    {
        var bytes = new ReadOnlySpan<byte>(text, capacity);
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }

    /// <summary><c>nvmlMemory_t</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct MemoryInfo
    {
        public ulong Total;
        public ulong Free;
        public ulong Used;
    }

    /// <summary><c>nvmlPciInfo_t</c>; the device id's lower half is the vendor.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct PciInfo
    {
        public fixed byte BusIdLegacy[16];
        public uint Domain;
        public uint Bus;
        public uint Device;
        public uint DeviceId;
        public uint SubsystemId;
        public fixed byte BusId[32];
    }
}
