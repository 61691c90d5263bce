from __future__ import annotations
import time, resource
def test_zz(wan, desk=None):
    for i in range(4):
        a=resource.getrusage(resource.RUSAGE_CHILDREN); t=time.time()
        r=wan.generate("--cache","off", env={"WANVIDEO_LOG":"debug"}).succeeded()
        b=resource.getrusage(resource.RUSAGE_CHILDREN)
        print(i, "wall",time.time()-t,"cpu",b.ru_utime-a.ru_utime+b.ru_stime-a.ru_stime)
    import os
    env=wan.environment()
    import subprocess,sys
    subprocess.run([sys.executable,"-m","cProfile","-o","/tmp/e2e/p2.prof",str(__import__('pathlib').Path(sys.executable).parent/"wanvideo"),"generate","slow push in","--image","boat.png","--size","320*240","--duration","2","--seed","7","--no-audio","--cache","off"],cwd=wan.folder,env=env)
    t=time.time();wan.run("jobs","list");print("list",time.time()-t)
