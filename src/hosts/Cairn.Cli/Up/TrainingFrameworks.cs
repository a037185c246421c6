using Cairn.Contracts.Frameworks;
using Cairn.Frameworks.Recipes.Training;
using Cairn.Node;

namespace Cairn.Cli.Up;

/// <summary>Answers a node's question with the training recipes.</summary>
internal sealed class TrainingFrameworks : IFrameworkRecipes
{
    public FrameworkSetting? Of(string framework, TaskPlacement placement) => TrainingRecipes.Of(framework)?.For(placement);
}
