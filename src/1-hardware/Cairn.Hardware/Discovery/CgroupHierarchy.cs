namespace Cairn.Hardware.Discovery;

/// <summary>One mounted tree of control groups and the process's place in it.</summary>
/// <param name="MountPoint">Where it is mounted, such as <c>/sys/fs/cgroup/memory</c>.</param>
/// <param name="MountRoot">The part of the tree that is mounted there; not <c>/</c> in containers of version 1.</param>
/// <param name="OwnPath">The process's group, as <c>/proc/self/cgroup</c> says it.</param>
/// <param name="Controllers">Empty in version 2, where every group may have any.</param>
internal sealed record CgroupHierarchy(string MountPoint, string MountRoot, string OwnPath, IReadOnlyList<string> Controllers)
{
    public bool Version2 => Controllers.Count == 0;

    public bool Has(string controller) => Version2 || Controllers.Contains(controller);

    /// <summary>
    /// The folders that bind the process, its own group's first. A group that is not visible from here begins with the nearest that is.
    /// </summary>
    public IEnumerable<string> FromOwnToTop(MachineFiles files)
    {
        var path = OwnPath;
        if (MountRoot != "/" && (path == MountRoot || path.StartsWith(MountRoot + "/", StringComparison.Ordinal)))
            path = path[MountRoot.Length..];
        for (var rest = path.TrimEnd('/'); rest.Length > 0; rest = rest[..rest.LastIndexOf('/')])
        {
            if (!rest.Contains("/..", StringComparison.Ordinal) && Directory.Exists(files.PathOf(MountPoint + rest)))
                yield return MountPoint + rest;
        }

        yield return MountPoint;
    }

    /// <summary>
    /// Joins <c>/proc/self/cgroup</c> (<c>id:controllers:path</c>) with the mounts of <c>/proc/self/mountinfo</c> (proc(5)).
    /// </summary>
    public static IReadOnlyList<CgroupHierarchy> Find(MachineFiles files)
    {
        var mounts = files.Lines("proc/self/mountinfo").Select(Mount.Parse).OfType<Mount>().ToList();
        var found = new List<CgroupHierarchy>();
        foreach (var line in files.Lines("proc/self/cgroup"))
        {
            if (line.Split(':', 3) is not [_, var controllers, var path] || !path.StartsWith('/'))
                continue;
            string[] named = controllers.Length == 0 ? [] : controllers.Split(',');
            var mount = mounts.LastOrDefault(m => named.Length == 0 ? m.Version2 : !m.Version2 && named.Any(m.Options.Contains));
            if (mount is not null)
                found.Add(new CgroupHierarchy(mount.Point, mount.Root, path, named));
        }

        return found;
    }

    private sealed record Mount(string Root, string Point, bool Version2, IReadOnlyList<string> Options)
    {
        /// <summary><c>36 35 98:0 /root /point rw … - cgroup cgroup rw,memory</c>; blanks in paths are written <c>\040</c>.</summary>
        public static Mount? Parse(string line)
        {
            var halves = line.Split(" - ", 2);
            if (halves.Length < 2 || halves[0].Split(' ') is not [_, _, _, var root, var point, ..]
                || halves[1].Split(' ') is not [var type, ..] tail)
                return null;
            return type is "cgroup" or "cgroup2"
                ? new Mount(Unescape(root), Unescape(point), type == "cgroup2", tail[^1].Split(','))
                : null;
        }

        private static string Unescape(string path) => path.Replace("\\040", " ", StringComparison.Ordinal);
    }
}
