using System.Globalization;
using System.Text;
using Cairn.Node.Native;

namespace Cairn.Node.Processes;

/// <summary>All processes of one task, also those that left its process group.</summary>
internal static class ProcessTree
{
    /// <summary>Sends a signal to a process group. False where nobody is in it.</summary>
    public static bool SignalGroup(int group, int signal) => Posix.Kill(-group, signal) == 0;

    /// <summary>
    /// Processes in the session of <paramref name="session"/>, and those anywhere whose environment still carries the task's id: a
    /// grandchild that made a session of its own is found by it.
    /// </summary>
    public static List<int> Find(int session, string taskId)
    {
        var marker = Encoding.ASCII.GetBytes($"CAIRN_TASK_ID={taskId}\0");
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id == Environment.ProcessId)
                continue;
            if (ProcessStat.Read(id) is not { } stat || stat.State is 'Z' or 'X')
                continue;
            if ((session > 0 && stat.Session == session) || CarriesMarker(folder, marker))
                found.Add(id);
        }
        return found;
    }

    /// <summary>Whether a process handles a signal: its bit in SigCgt of /proc/PID/status; see proc(5).</summary>
    public static bool Catches(int id, int signal)
    {
        try
        {
            var line = File.ReadLines($"/proc/{id.ToString(CultureInfo.InvariantCulture)}/status").FirstOrDefault(l => l.StartsWith("SigCgt:", StringComparison.Ordinal));
            return line is not null && (ulong.Parse(line.AsSpan(7).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) >> (signal - 1) & 1) != 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static bool CarriesMarker(string folder, byte[] marker)
    {
        try
        {
            return File.ReadAllBytes(Path.Combine(folder, "environ")).AsSpan().IndexOf(marker) >= 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
