using System.Globalization;
using Cairn.Node.Native;

namespace Cairn.Node.Processes;

/// <summary>A user that a task runs as. <see cref="Id"/> null means the daemon's own.</summary>
internal sealed record TaskUser(uint? Id, uint? Group)
{
    public static readonly TaskUser Self = new(null, null);
}

/// <summary>
/// Who runs the tasks of this node. Where the daemon is root each task gets a number of its own, so that tasks cannot read each other's
/// files or environment. The numbers 60578 to 61183 belong to nobody by systemd's table of user ids (uids-gids.md).
/// </summary>
internal sealed class TaskUsers
{
    private const uint FirstDedicated = 60_578;
    private const uint LastDedicated = 61_183;

    private readonly TaskUser? _fixed;
    private readonly HashSet<uint> _taken = [];
    private uint _next = FirstDedicated;

    private TaskUsers(TaskUser? same, string name) => (_fixed, Name) = (same, name);

    /// <summary>As the inventory says it: dedicated, self, or a user's name.</summary>
    public string Name { get; }

    public bool AreUnprivileged => _fixed?.Id is not null || _fixed is null;

    /// <summary>Resolves the option. A problem where a user is named that is not there or cannot be taken.</summary>
    public static (TaskUsers? Users, string? Problem) From(string option, bool canChangeUser)
    {
        if (option == "self" || (option == "auto" && !canChangeUser))
            return (new TaskUsers(TaskUser.Self, "self"), null);
        if (option == "auto")
            return (new TaskUsers(null, "dedicated"), null);
        if (!canChangeUser)
            return (null, $"tasks cannot run as '{option}': the daemon is not root or setpriv is missing; use 'self'");
        if (uint.TryParse(option, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return (new TaskUsers(new TaskUser(number, number), option), null);
        var entry = File.ReadLines("/etc/passwd").Select(l => l.Split(':')).FirstOrDefault(f => f.Length > 3 && f[0] == option);
        return entry is null
            ? (null, $"there is no user '{option}' in /etc/passwd: expected auto, self, a user's name or its number")
            : (new TaskUsers(new TaskUser(Number(entry[2]), Number(entry[3])), option), null);
    }

    /// <summary>True where this process may become another user: it is root, and setpriv is there to do it.</summary>
    public static bool CanChangeUser() => Posix.EffectiveUser() == 0 && Programs.Find("setpriv") is not null;

    public TaskUser Take()
    {
        if (_fixed is not null)
            return _fixed;
        lock (_taken)
        {
            // More tasks than numbers share them in turn.
            for (var tries = FirstDedicated; tries <= LastDedicated && _taken.Contains(_next); tries++)
                Step();
            var id = _next;
            _taken.Add(id);
            Step();
            return new TaskUser(id, id);
        }
    }

    /// <summary>A task that was adopted keeps its user.</summary>
    public void Keep(TaskUser user)
    {
        lock (_taken)
        {
            if (user.Id is { } id)
                _taken.Add(id);
        }
    }

    public void Release(TaskUser user)
    {
        lock (_taken)
        {
            if (user.Id is { } id)
                _taken.Remove(id);
        }
    }

    private void Step() => _next = _next == LastDedicated ? FirstDedicated : _next + 1;

    private static uint Number(string text) => uint.Parse(text, CultureInfo.InvariantCulture);
}
