using Cairn.Contracts.Frameworks;

namespace Cairn.Node;

/// <summary>What frameworks read from a task's environment. The daemon asks; the layer of frameworks answers.</summary>
public interface IFrameworkRecipes
{
    /// <summary>What a framework needs set for one task; null where nothing is set up for it.</summary>
    FrameworkSetting? Of(string framework, TaskPlacement placement);
}
