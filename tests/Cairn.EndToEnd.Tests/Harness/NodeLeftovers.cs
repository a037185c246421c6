using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Cairn.EndToEnd.Tests;

/// <summary>What a daemon leaves on purpose when it ends: tasks that run on, and their folders. A test must take them away.</summary>
internal static class NodeLeftovers
{
    /// <summary>Kills every process of the tasks of one node, and nothing else: as a machine's loss would.</summary>
    public static void KillTasks(string nodeFolder)
    {
        var tasks = Path.Combine(nodeFolder, "tasks");
        if (!Directory.Exists(tasks))
            return;
        var markers = Directory.EnumerateDirectories(tasks).Select(folder =>
            Encoding.ASCII.GetBytes($"CAIRN_TASK_ID={Path.GetFileName(folder)}\0")).ToList();
        var supervisor = Encoding.UTF8.GetBytes(tasks + "/");

        // A process that starts another between two looks is found by the next look.
        for (var look = 0; look < 5; look++)
        {
            var found = Find(supervisor, markers);
            if (found.Count == 0)
                return;
            foreach (var id in found)
                Kill(id);
        }
    }

    public static bool HasTasks(string nodeFolder)
    {
        var tasks = Path.Combine(nodeFolder, "tasks");
        return Directory.Exists(tasks) && Find(Encoding.UTF8.GetBytes(tasks + "/"), []).Count > 0;
    }

    /// <summary>Where the node's folder is closed to the tasks' users, their work lies under /var/lib/cairn, in a folder named after
    /// it.</summary>
    public static void DeleteWork(string nodeFolder)
    {
        var tag = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(nodeFolder))))[..8];
        Delete(Path.Combine("/var/lib/cairn", tag));
    }

    public static void Delete(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A process that is just ending may still write there; the folder is temporary.
        }
    }

    private static List<int> Find(byte[] supervisor, List<byte[]> markers)
    {
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && id != Environment.ProcessId
                && (Holds(folder, "cmdline", supervisor) || markers.Exists(marker => Holds(folder, "environ", marker))))
                found.Add(id);
        }

        return found;
    }

    private static bool Holds(string folder, string file, byte[] text)
    {
        try
        {
            return File.ReadAllBytes(Path.Combine(folder, file)).AsSpan().IndexOf(text) >= 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void Kill(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            process.Kill();
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            // It has ended meanwhile.
        }
    }
}
