"""A lookup in GPTCache with its default store (SQLite and FAISS), for comparison. Run by an interpreter that has it.

    python gptcache_lookup.py ENTRIES DIMENSION        prints p50 and p99 in seconds

The embedding is a table look-up here, so that only the cache is measured; there are no filters, for it has none.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

try:
    from gptcache import Cache, Config
    from gptcache.adapter.api import get
    from gptcache.manager import CacheBase, VectorBase, get_data_manager
    from gptcache.processor.pre import get_prompt
    from gptcache.similarity_evaluation.distance import SearchDistanceEvaluation
except ImportError:
    sys.exit("not installed")

count, dimension = int(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(1)
vectors = rng.normal(size=(count, dimension)).astype("float32")
vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
with tempfile.TemporaryDirectory() as folder:
    base = CacheBase("sqlite", sql_url=f"sqlite:///{Path(folder) / 'sqlite.db'}")
    index = VectorBase("faiss", dimension=dimension, index_path=str(Path(folder) / "faiss.index"))
    cache = Cache()
    cache.init(
        pre_embedding_func=get_prompt,
        embedding_func=lambda text, **_: vectors[int(text)],
        data_manager=get_data_manager(base, index, max_size=count + 1),
        similarity_evaluation=SearchDistanceEvaluation(),
        config=Config(similarity_threshold=0.8, disable_report=True),
    )
    step = 1000
    for start in range(0, count, step):
        numbers = range(start, min(start + step, count))
        cache.import_data([str(n) for n in numbers], [f"answer {n}" for n in numbers])
    seconds = []
    for number in rng.integers(0, count, 300):
        started = time.perf_counter()
        found = get(str(number), cache_obj=cache)
        seconds.append(time.perf_counter() - started)
        assert found == f"answer {number}", found
print(*np.percentile(seconds, [50, 99]))
