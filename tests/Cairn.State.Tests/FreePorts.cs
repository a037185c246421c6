using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Cairn.State.Tests;

/// <summary>
/// Ports for servers that a test starts, kills and starts again. They lie below those that the system gives out by itself, and a lock keeps each for this process until its end,
/// so that nobody takes one between two starts.
/// </summary>
internal static class FreePorts
{
    private const int First = 10_000;
    private const int Count = 10_000;
    private static readonly Lock s_gate = new();
    private static readonly List<FileStream> s_held = [];

    public static int Next()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "cairn-test-ports")).FullName;
        for (var tries = 0; tries < Count; tries++)
        {
            var port = First + Random.Shared.Next(Count);
            if (TryHold(Path.Combine(folder, port.ToString(CultureInfo.InvariantCulture))) is not { } held)
                continue;
            if (IsFree(port))
            {
                lock (s_gate)
                    s_held.Add(held);
                return port;
            }
            held.Dispose();
        }
        throw new InvalidOperationException($"No port of {First} to {First + Count - 1} is free.");
    }

    private static FileStream? TryHold(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
