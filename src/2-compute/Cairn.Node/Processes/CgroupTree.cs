using System.Globalization;

namespace Cairn.Node.Processes;

/// <summary>
/// Where this daemon may make cgroups: per controller of version 1, in the one tree of version 2, or both on a hybrid machine. What is
/// not writable is left out, and <see cref="Limits"/> says what is left.
/// </summary>
internal sealed class CgroupTree
{
    private static readonly string[] s_controllers = ["memory", "cpu", "pids"];

    private readonly Dictionary<string, string> _version1 = [];
    private readonly HashSet<string> _version2Controllers = [];
    private string? _version2;

    private CgroupTree()
    {
    }

    /// <summary>The controllers that tasks are held to: some of cpu, memory, pids.</summary>
    public IReadOnlyList<string> Limits => [.. s_controllers.Where(c => _version1.ContainsKey(c) || _version2Controllers.Contains(c)).Order()];

    public static CgroupTree None { get; } = new();

    /// <summary>Finds the writable trees and makes a folder of the given name in each.</summary>
    public static CgroupTree Find(string name)
    {
        var tree = new CgroupTree();
        var own = OwnPaths();
        foreach (var (root, mount, type, options) in Mounts())
        {
            if (type == "cgroup2" && own.TryGetValue("", out var unified))
                tree._version2 ??= TryMake(Inside(mount, root, unified), name);
            foreach (var controller in type == "cgroup" ? s_controllers.Intersect(options) : [])
            {
                if (own.TryGetValue(controller, out var path) && TryMake(Inside(mount, root, path), name) is { } folder)
                    tree._version1.TryAdd(controller, folder);
            }
        }
        if (tree._version2 is { } folder2)
            tree.EnableVersion2(folder2);
        return tree;
    }

    /// <summary>The cgroups of one task; made on <see cref="TaskCgroups.Make"/>.</summary>
    public TaskCgroups For(string taskId)
    {
        string? Folder(string controller) =>
            _version1.TryGetValue(controller, out var v1) ? Path.Combine(v1, taskId)
            : _version2Controllers.Contains(controller) ? Path.Combine(_version2!, taskId)
            : null;
        var kill = _version2 is { } v2 && File.Exists(Path.Combine(v2, "cgroup.kill")) ? Path.Combine(v2, taskId) : null;
        return new TaskCgroups(Folder("memory"), Folder("cpu"), Folder("pids"), kill);
    }

    /// <summary>Takes back the folders that <see cref="Find"/> made. One in which tasks go on stays for the next daemon.</summary>
    public void Remove()
    {
        foreach (var folder in _version1.Values.Append(_version2).OfType<string>().Where(Directory.Exists))
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (IOException)
            {
            }
        }
    }

    /// <summary>
    /// A controller reaches a cgroup's children only where its parents pass it on, which the kernel refuses while they hold processes.
    /// </summary>
    private void EnableVersion2(string folder)
    {
        var parent = Path.GetDirectoryName(folder)!;
        foreach (var controller in s_controllers)
        {
            if (!_version1.ContainsKey(controller)
                && TryWrite(Path.Combine(parent, "cgroup.subtree_control"), "+" + controller)
                && TryWrite(Path.Combine(folder, "cgroup.subtree_control"), "+" + controller))
            {
                _version2Controllers.Add(controller);
            }
        }
    }

    internal static bool TryWrite(string path, string text)
    {
        try
        {
            File.WriteAllText(path, text);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string? TryMake(string parent, string name)
    {
        try
        {
            var folder = Directory.CreateDirectory(Path.Combine(parent, name)).FullName;
            return File.Exists(Path.Combine(folder, "cgroup.procs")) ? folder : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A mount may show only a part of the tree: paths are relative to the mount's root.</summary>
    private static string Inside(string mount, string root, string path) =>
        root != "/" && path.StartsWith(root, StringComparison.Ordinal) ? mount + path[root.Length..] : mount + path.TrimEnd('/');

    /// <summary>Controller → path of this process; the empty name is version 2.</summary>
    private static Dictionary<string, string> OwnPaths()
    {
        var paths = new Dictionary<string, string>();
        foreach (var line in ReadLines("/proc/self/cgroup"))
        {
            var parts = line.Split(':', 3);
            foreach (var controller in parts.Length == 3 ? parts[1].Split(',') : [])
                paths[controller] = parts[2];
        }
        return paths;
    }

    /// <summary>Lines of mountinfo: id parent device root mount options … - type source super-options; see proc(5).</summary>
    private static IEnumerable<(string Root, string Mount, string Type, string[] Options)> Mounts() =>
        from line in ReadLines("/proc/self/mountinfo")
        let dash = line.IndexOf(" - ", StringComparison.Ordinal)
        where dash > 0
        let head = line[..dash].Split(' ')
        let tail = line[(dash + 3)..].Split(' ')
        where tail.Length >= 3 && tail[0].StartsWith("cgroup", StringComparison.Ordinal)
        select (head[3], head[4], tail[0], tail[2].Split(','));

    private static string[] ReadLines(string path) => File.Exists(path) ? File.ReadAllLines(path) : [];
}

/// <summary>The cgroups of one task, by what they limit; a folder may stand for several. Null where there is none.</summary>
internal sealed record TaskCgroups(string? Memory, string? Cpu, string? Pids, string? Kill)
{
    /// <summary>Enough for any training job, and few enough that a fork bomb leaves the machine usable.</summary>
    private const int MostProcesses = 16_384;

    /// <summary>The folders that a process of the task enters.</summary>
    public IReadOnlyList<string> Folders => [.. new[] { Memory, Cpu, Pids, Kill }.OfType<string>().Distinct()];

    /// <summary>Makes the folders and sets the limits. A limit that the kernel refuses is left out: the task runs without it.</summary>
    /// <param name="cpus">Its share when CPUs are wanted by all; more is had where nobody else wants it. 0: no share.</param>
    /// <param name="memoryBytes">A hard limit; 0: none.</param>
    public void Make(double cpus, long memoryBytes)
    {
        foreach (var folder in Folders)
            Directory.CreateDirectory(folder);
        if (Memory is { } memory && memoryBytes > 0)
        {
            var bytes = memoryBytes.ToString(CultureInfo.InvariantCulture);
            _ = TryWrite(memory, "memory.limit_in_bytes", bytes) || TryWrite(memory, "memory.max", bytes);
            _ = TryWrite(memory, "memory.memsw.limit_in_bytes", bytes) || TryWrite(memory, "memory.swap.max", "0");
        }
        if (Cpu is { } cpu && cpus > 0)
        {
            var shares = Math.Clamp((long)(cpus * 1024), 2, 262_144);
            // The kernel's mapping of version 1 shares (2 to 262144) to version 2 weights (1 to 10000).
            var weight = 1 + (shares - 2) * 9999 / 262_142;
            _ = TryWrite(cpu, "cpu.shares", shares.ToString(CultureInfo.InvariantCulture))
                || TryWrite(cpu, "cpu.weight", weight.ToString(CultureInfo.InvariantCulture));
        }
        if (Pids is { } pids)
            _ = TryWrite(pids, "pids.max", MostProcesses.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>How often the kernel killed a process of the task for want of memory.</summary>
    public long OutOfMemoryKills()
    {
        if (Memory is not { } folder)
            return 0;
        var file = new[] { "memory.oom_control", "memory.events" }.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        var line = file is null ? null : File.ReadLines(file).FirstOrDefault(l => l.StartsWith("oom_kill ", StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line.AsSpan("oom_kill ".Length), CultureInfo.InvariantCulture);
    }

    /// <summary>The task's processes; empty also where there are no cgroups.</summary>
    public IReadOnlyList<int> Processes()
    {
        var file = Folders.Select(f => Path.Combine(f, "cgroup.procs")).FirstOrDefault(File.Exists);
        return file is null ? [] : [.. File.ReadLines(file).Select(l => int.Parse(l, CultureInfo.InvariantCulture))];
    }

    /// <summary>Kills all at once where the kernel can (version 2, Linux 5.14).</summary>
    public bool TryKill() => Kill is { } folder && TryWrite(folder, "cgroup.kill", "1");

    /// <summary>Removes the folders; one that still has processes stays for the next try.</summary>
    public void Remove()
    {
        foreach (var folder in Folders.Where(Directory.Exists))
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (IOException)
            {
            }
        }
    }

    private static bool TryWrite(string folder, string file, string text) =>
        File.Exists(Path.Combine(folder, file)) && CgroupTree.TryWrite(Path.Combine(folder, file), text);
}
